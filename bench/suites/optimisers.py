"""Does SOAP train better models than Adam in the same processor time? On eight flows that `chaos` does not show.

Settings by Adam are the learners' defaults. SOAP (Vyas et al., 2024) has its authors' rate and no clip, and as many
updates as cost the same: the ratios are those of milliseconds of processor time for an update of three seeds on Lorenz,
medians of three interleaved measurements (one thread of an Intel Xeon, 2026-11-29; Adam, SOAP):

    WindowedRNN[cell=rnn]   0.81  2.71        NeuralODE   0.81  1.48
    WindowedRNN             2.07  8.10        ResNet      0.51  1.77
    WindowedRNN[cell=lstm]  2.70  9.20

The machine had other work then. Measured again when it had none, the same updates by SOAP take 0.96 (Elman), 0.80
(GRU), 0.76 (LSTM), 1.01 (NeuralODE) and 1.10 times (ResNet) the processor time of Adam's.
"""

from dataclasses import replace

from bench.suite import Suite
from bench.suites.chaos import suite as chaos
from learners import REFERENCES, Learner, NeuralODE, ResNet, WindowedRNN
from metrics import LONG_TERM, STANDARD
from systems import Chen, Halvorsen, HyperRossler, Lorenz84, Lorenz96, Rikitake, Rucklidge, Sprott

COSTS = {  # milliseconds of an update by Adam and by SOAP
    WindowedRNN(cell="rnn"): (0.81, 2.71),
    WindowedRNN(): (2.07, 8.10),
    WindowedRNN(cell="lstm"): (2.70, 9.20),
    NeuralODE(): (0.81, 1.48),
    ResNet(): (0.51, 1.77),
}


def by_soap(learner: WindowedRNN | NeuralODE | ResNet, adam: float, soap: float) -> Learner:
    """The learner, trained by SOAP in the processor time that Adam takes for its updates."""
    updates = round(learner.training.updates * adam / soap)
    soap_training = replace(learner.training, optimiser="soap", updates=updates, learning_rate=3e-3, clip=1e9)
    return replace(learner, training=soap_training)


suite = Suite(
    name="optimisers",
    description="Adam and SOAP in equal processor time, on eight chaotic flows that no settings were chosen on.",
    systems=(
        Chen(),
        Halvorsen(),
        HyperRossler(),
        Lorenz84(),
        Lorenz96(sites=5),
        Rikitake(),
        Rucklidge(),
        Sprott("Q"),
    ),
    learners=(*COSTS, *(by_soap(learner, *costs) for learner, costs in COSTS.items()), *REFERENCES),
    metrics=(*STANDARD, *LONG_TERM),
    sampling=replace(chaos.sampling, step=0.02, test=64, climate_horizon=100.0),
    data_seed=3,
    unequal="updates are as many as cost the same processor time for each learner by either optimiser",
)
