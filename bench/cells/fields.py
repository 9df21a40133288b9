"""Learned vector fields in the plane, beside those of the system."""

import torch
from jaxtyping import Float64
from torch import Tensor

from bench.cells.trial import is_from_solver
from learners import Predictor
from learners.solvers.rollout import EquationsPredictor, StatePredictor
from learners.solvers.steps import STEPS
from metrics.base import Field
from systems import Dataset, Flow, Trajectories

GRID = 25  # places along each side of a plane at which fields are seen
MARGIN = 0.15  # of the plane around the training data, as a fraction of their extent
ALONG = 500  # states of the training data at which they are seen, at the most


def plane(predictor: Predictor, data: Dataset) -> Float64[Tensor, "place 2"] | None:
    """A grid of states around the training data; None unless system and model have two channels and no memory."""
    planar = isinstance(data.system, Flow) and data.is_complete and data.dim == 2
    if not planar or not isinstance(predictor, (StatePredictor, EquationsPredictor)):
        return None
    states = data.train.states.flatten(0, 1)
    low, high = states.min(0).values, states.max(0).values
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    fractions = torch.linspace(0, 1, GRID, dtype=states.dtype, device=states.device)
    return low + (high - low) * torch.cartesian_prod(fractions, fractions).flip(-1)


def learned_velocity(
    predictor: Predictor, places: Float64[Tensor, "place 2"], step: float
) -> Float64[Tensor, "place 2"]:
    """The model's mean velocity over a time `step` from each place; NaN where its solver gives up."""
    past = Trajectories(places.new_zeros(len(places), 1), places[:, None])
    return (forecast_or_nan(predictor, past, past.times[:, -1:] + step)[:, 0] - places) / step


def true_velocity(flow: Flow, places: Float64[Tensor, "place 2"], step: float) -> Float64[Tensor, "place 2"]:
    """The same of the system."""
    return (STEPS["rk4"](flow.velocity, places, step) - places) / step


def field_of(predictor: Predictor, data: Dataset) -> Field | None:
    """The model's field beside the system's, around the training data and along them; None where it has none."""
    places = plane(predictor, data)
    if places is None:
        return None
    assert isinstance(data.system, Flow)
    states = data.train.states.flatten(0, 1)
    seen = torch.cat([places, states[:: -(-len(states) // ALONG)]])
    flow = true_velocity(data.system, seen, data.step)
    learned = learned_velocity(predictor, seen, data.step)
    return Field(*(values.numpy(force=True) for values in (seen, flow, learned)), around=len(places))


def forecast_or_nan(predictor: Predictor, past: Trajectories, times: Tensor) -> Float64[Tensor, "batch time dim"]:
    """A forecast; NaN where the solver gives up on it."""
    try:
        with torch.no_grad():
            return predictor.forecast(past, times).states.double()
    except Exception as error:
        if not is_from_solver(error):
            raise
        return past.states.new_full((len(past), times.shape[-1], past.states.shape[-1]), torch.nan)
