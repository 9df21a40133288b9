"""Every kind of learner, so small and so briefly trained that it takes no time, for tests of devices."""

from dataclasses import replace

from learners import (
    DMD,
    NVAR,
    PLRNN,
    Analogue,
    Climatology,
    DenseODEClassifier,
    HybridODE,
    IndependentTruth,
    LatentODE,
    LatentRNN,
    Learner,
    Mechanistic,
    MLPClassifier,
    NeuralDDE,
    NeuralODE,
    NeuralSDE,
    ODELayer,
    ODENet,
    ODENetClassifier,
    Persistence,
    PolynomialPropagator,
    Reservoir,
    ResNet,
    ResNetClassifier,
    RKNet,
    RKNetClassifier,
    SINDy,
    StatefulRNN,
    Training,
    TrainingMean,
    Transformer,
    TrueEquations,
    WindowedRNN,
)
from learners.delayed import Delayed
from learners.equations.published_fit import PublishedFit, Recipe
from learners.fewer_trajectories import Fewer
from systems import Sampling

SAMPLING = Sampling(
    step=0.02, trajectories=3, samples=24, valid=1, test=2, context=6, horizon=0.1, climate=1, climate_horizon=0.1
)
SHORT = Training(updates=2, batch=4, validations=1)
SMALL = {"width": 4, "training": SHORT}
FORCED = {"lookahead": 5, "interval": 2, "training": SHORT}
LEARNERS: tuple[Learner, ...] = (
    NeuralODE(**SMALL),
    RKNet(**SMALL),
    ResNet(damping=0.1, noise=0.1, **SMALL),
    ODELayer(channels=4, steps=2, **SMALL),
    WindowedRNN(hidden=4, training=SHORT),
    PLRNN(nonlinear=4, **FORCED),
    StatefulRNN(hidden=4, **FORCED),
    Mechanistic(start=(("sigma", 9.0), ("rho", 27.0)), iterations=1, window=4),
    DMD(lags=2),
    Reservoir(size=8, washout=4),
    Persistence(),
    TrainingMean(),
    Climatology(),
    Analogue(),
    TrueEquations(),
    IndependentTruth(),
)
OTHERS: tuple[Learner, ...] = (
    NeuralODE(lookahead=3, depth=1, curriculum=0.5, noise=0.1, augmented=1, time=True, damping=0.1, **SMALL),
    NeuralODE(jacobian=0.1, inputs="cubic", **SMALL),
    NeuralODE(solver="rosenbrock", **SMALL),
    NeuralODE(solver="euler", gradient="adjoint", **SMALL),
    NeuralDDE(delay=3, **SMALL),
    NeuralSDE(**SMALL),
    NeuralODE(width=2, depth=1, training=replace(SHORT, optimiser="levenberg-marquardt")),
    NeuralODE(width=2, depth=1, damping=0.1, training=replace(SHORT, optimiser="soap")),
    ODENet(**SMALL),
    Transformer(**SMALL),
    WindowedRNN(cell="rnn", hidden=4, training=SHORT),
    WindowedRNN(cell="lstm", hidden=4, training=SHORT),
    PLRNN(form="dendritic", hidden=2, nonlinear=4, **FORCED),
    PLRNN(form="almost-linear", hidden=4, nonlinear=2, forcing=0.5, **FORCED),
    StatefulRNN(cell="lstm", hidden=4, **FORCED),
    WindowedRNN(
        cell="relu",
        hidden=4,
        layers=2,
        target="state",
        scaled=False,
        training=replace(SHORT, schedule="constant", keep="last"),
    ),
    NeuralODE(network="matrix", scaled=False, training=SHORT),
    ResNet(shared=True, blocks=3, **SMALL),
    LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    LatentRNN(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    HybridODE(**SMALL),
    HybridODE(missing=(), learned=False, **SMALL),
    PublishedFit((Recipe((("sigma", 9.0),), epochs=2, learning_rate=1e-3, substeps=1),), batch=2),
    NVAR(),
    PolynomialPropagator(degree=2),
    SINDy(degree=1),
    Delayed(ResNet(**SMALL), delays=1, stride=2),
    Fewer(NeuralODE(**SMALL), 2),
)
IRREGULAR: tuple[Learner, ...] = (
    NeuralODE(lookahead=2, **SMALL),
    WindowedRNN(times="gaps", hidden=4, training=SHORT),
    WindowedRNN(times="ignored", hidden=4, training=SHORT),
    LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
)
WAITLESS = (
    NeuralODE(noise=0.1, **SMALL),
    WindowedRNN(hidden=4, training=SHORT),
    PLRNN(form="almost-linear", hidden=2, nonlinear=2, forcing=0.5, **FORCED),
    StatefulRNN(cell="lstm", hidden=4, **FORCED),
    NeuralODE(solver="rosenbrock", **SMALL),
    ResNet(damping=0.1, **SMALL),
    Transformer(**SMALL),
    LatentODE(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    LatentRNN(lookahead=3, hidden=4, width=4, latent=2, training=SHORT),
    HybridODE(**SMALL),
)
CLASSIFIERS = (
    MLPClassifier(hidden=4, training=SHORT),
    DenseODEClassifier(width=4, solver="euler", steps=2, training=SHORT),
    ResNetClassifier(width=8, blocks=1, norm="batch", training=SHORT, channels_last=False),
    ODENetClassifier(width=8, solver="euler", steps=2, training=SHORT),
)
SLOW_CLASSIFIERS = (RKNetClassifier(width=8, training=SHORT), ODENetClassifier(width=8, training=SHORT))
