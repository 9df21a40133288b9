"""Memory against solver steps: what backpropagation through a solver keeps, beside the adjoint method.

Settings are a sweep over the tolerance; what is learned does not matter.
"""

from bench.suite import Suite
from learners import Budget, ODENet, RKNet, Training
from metrics import kept_bytes, nfe_backward, nfe_forward, peak_bytes, saved_bytes, vpt, vpt_capped
from systems import Sampling, VanDerPol

TOLERANCES = (1e-2, 2e-3, 4e-4, 8e-5, 1.6e-5)  # of a solver of second order: each takes about twice as many steps
SHORT = Training(updates=4, batch=256, validations=4)  # what is learned does not matter; every update is measured

suite = Suite(
    name="memory",
    description="Memory against solver steps: RKNet's grows with them, ODENet's does not. Hardly anything is learned.",
    systems=(VanDerPol(),),
    learners=tuple(
        learner(solver="adaptive_heun", tolerance=tolerance, lookahead=10, training=SHORT)
        for learner in (RKNet, ODENet)
        for tolerance in TOLERANCES
    ),
    metrics=(saved_bytes, kept_bytes, peak_bytes, nfe_forward, nfe_backward, vpt, vpt_capped),
    sampling=Sampling(
        step=0.1, trajectories=4, samples=60, valid=1, test=4, horizon=1.0, climate=1, climate_horizon=10
    ),
    seeds=1,
    budgets={"quick": Budget(0.3), "standard": Budget(), "paper": Budget(3.0)},
)
