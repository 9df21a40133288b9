"""Is the vector field recovered from one noisy trajectory? A linear field, and one with two centres.

After a re-implementation of "Neural ordinary differential equations": a 2 x 2 matrix that is random at first, and a
perceptron of ELUs with 16 units in each of its two layers; 200 samples from (0.6, 0.3) on five turns of the linear
field. Settings of the networks are the write-up's, in physical units; their training was chosen by hand.
"""

from bench.suite import Suite
from learners import Analogue, NeuralODE, Persistence, PolynomialPropagator, Training, TrainingMean, TrueEquations
from metrics import STANDARD, field_error, field_error_along, zero_one_k
from systems import LinearSpiral, Sampling, TwoCentre

TRAINING = Training(updates=2_000, batch=32, learning_rate=1e-2)
TIME, SAMPLES = 6.29 * 5, 200


def observed(timescale: float) -> Sampling:
    """One trajectory, as long for each system; forecasts start elsewhere."""
    return Sampling(
        step=TIME / (SAMPLES - 1) / timescale,
        trajectories=1,
        samples=SAMPLES,
        valid=2,
        test=64,
        context=1,
        error=0.01,
        centre=(0.6, 0.3),
        elsewhere=True,
        horizon=2.0,
        climate=2,
        climate_horizon=10.0,
    )


suite = Suite(
    name="fields",
    description="Vector fields of the plane learned from one noisy trajectory, beside the true ones.",
    systems=(LinearSpiral(), TwoCentre()),
    learners=(
        NeuralODE(network="matrix", lookahead=16, scaled=False, training=TRAINING),
        NeuralODE(width=16, activation="elu", lookahead=16, scaled=False, training=TRAINING),
        Persistence(),
        TrainingMean(),
        Analogue(),
        PolynomialPropagator(),
        TrueEquations(),
    ),
    metrics=(field_error, field_error_along, *(metric for metric in STANDARD if metric is not zero_one_k)),
    own=tuple((system, observed(system.timescale)) for system in (LinearSpiral(), TwoCentre())),
)
