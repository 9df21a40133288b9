"""A cell that is filmed: its first seed is trained anew under watch, and leaves what it forecast at each stage."""

from math import ceil
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from bench.cells.data import observe
from bench.cells.drawings import Arrays
from bench.cells.fitting import fit
from bench.cells.system_cell import SystemCell
from bench.cells.trial import Trial, is_from_solver
from learners import Predictor, Unsuitable
from learners.solvers.rollout import StatePredictor
from learners.solvers.steps import STEPS
from learners.training.callbacks import Moment, watched
from results import Record
from systems import Dataset, Flow, Trajectories

RATIO = 1.35  # of the updates before a frame to those before the last: most is learned early
SAMPLES = 500  # of the forecast that is filmed, at the most
CHANNELS = 3  # of it, but for the sites of a ring
GRID = 25  # places along each side of a plane at which fields are seen
MARGIN = 0.15  # of the plane around the training data, as a fraction of their extent


class Reel:
    """Copies of a network's weights, taken ever more rarely as training goes on."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, dict[str, Tensor]]] = []
        self._due = 0

    def __call__(self, moment: Moment) -> None:
        if moment.updates >= self._due:
            weights = {name: one.detach().clone() for name, one in moment.network.named_parameters()}
            self.frames.append((moment.updates, weights))
            self._due = max(moment.updates + 1, ceil(moment.updates * RATIO))


@final
class FilmCell(SystemCell):
    """A system met by a learner with one seed, to be filmed."""

    def run(self, data: Path) -> list[Trial]:
        dataset = observe(self.system, self.sampling, self.data_seed, data).data.to(self.device)
        reel = Reel()
        with watched(reel):
            (predictor,), _ = fit(self, dataset, Predictor)
        record = Record(self.system_label, self.learner_label, self.seeds[0], "ok", "", ())
        return [Trial(record, predictor.log.curve, develop(predictor, reel, dataset))]

    def arrays(self, evidence: Any) -> Arrays:
        return {}


def develop(predictor: Predictor, reel: Reel, data: Dataset) -> Arrays:
    """What a model forecast of the first test state at each stage of its training, and in the end, beside the truth.

    Of a planar flow, also its mean velocity over one sampling step on a grid, beside the flow's own. Changes the
    weights of the predictor on the way. Raises Unsuitable where it was not trained update by update.
    """
    weights = predictor.weights()
    if not reel.frames or any(weights.keys() != frame.keys() for _, frame in reel.frames):
        raise Unsuitable("this learner is not trained update by update, so that there is nothing to film")
    stages = [*reel.frames, (predictor.log.updates, {name: one.clone() for name, one in weights.items()})]
    context = data.sampling.context
    shown = data.test.between(0, context + SAMPLES)
    first = Trajectories(shown.times[:1], shown.states[:1])
    plane = _plane(predictor, data)
    forecasts, fields = [], []
    for _, stage in stages:
        for name, values in stage.items():
            weights[name].data.copy_(values)
        forecasts.append(_forecast(predictor, first.between(0, context), first.times[:, context:]))
        if plane is not None:
            fields.append((_forecast(predictor, plane, plane.times[:, -1:] + data.step) - plane.states) / data.step)
    channels = slice(None if data.system.ring else CHANNELS)
    truth = first.between(context)
    arrays = {
        "reel_updates": torch.tensor([updates for updates, _ in stages]),
        "reel_times": (truth.times[0] - first.times[0, context - 1]) / data.system.timescale,
        "reel_truth": truth.states[0, :, channels],
        "reel_forecasts": torch.cat(forecasts)[..., channels],
    }
    if plane is not None:
        places = plane.states[:, 0]
        arrays |= {"reel_places": places, "reel_fields": torch.cat(fields, dim=1).transpose(0, 1)}
        arrays["reel_flow"] = _mean_velocity(data, places)
    with np.errstate(over="ignore"):  # what single precision cannot hold is as good as infinite
        return {name: values.numpy(force=True).astype(np.float32) for name, values in arrays.items()}


def _forecast(predictor: Predictor, past: Trajectories, times: Tensor) -> Float64[Tensor, "batch time dim"]:
    """A forecast; NaN where the solver gives up on it."""
    try:
        with torch.no_grad():
            return predictor.forecast(past, times).states.double()
    except Exception as error:
        if not is_from_solver(error):
            raise
        return past.states.new_full((len(past), times.shape[-1], past.states.shape[-1]), torch.nan)


def _plane(predictor: Predictor, data: Dataset) -> Trajectories | None:
    """A grid of states about the training data, where both system and model go on from a state of two channels."""
    planar = isinstance(data.system, Flow) and data.is_complete and data.dim == 2
    if not planar or not isinstance(predictor, StatePredictor):
        return None
    states = data.train.states.flatten(0, 1)
    low, high = states.min(0).values, states.max(0).values
    low, high = low - MARGIN * (high - low), high + MARGIN * (high - low)
    fractions = torch.linspace(0, 1, GRID, dtype=states.dtype, device=states.device)
    places = low + (high - low) * torch.cartesian_prod(fractions, fractions).flip(-1)
    return Trajectories(states.new_zeros(len(places), 1), places[:, None])


def _mean_velocity(data: Dataset, places: Float64[Tensor, "place 2"]) -> Float64[Tensor, "place 2"]:
    """Of the flow, over one sampling step."""
    assert isinstance(data.system, Flow)
    return (STEPS["rk4"](data.system.velocity, places, data.step) - places) / data.step
