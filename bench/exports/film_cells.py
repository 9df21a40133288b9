"""Cells that are filmed: the first seed is trained anew, and leaves what it forecast at stages of its training."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from bench.cells.data import SystemCell, observe
from bench.cells.drawings import Arrays, compact
from bench.cells.fields import learned_velocity, plane, true_velocity
from bench.cells.following import Course, course_of, follow
from bench.cells.trial import Trial
from learners import Predictor, Unsuitable
from learners.training.callbacks import TrainingState, before_each_update
from results import Record
from systems import Dataset, Flow

RATIO = 1.35  # of the updates before a frame to those before the last: most is learned early
SAMPLES = 500  # of the trajectory that is filmed, at the most
CHANNELS = 3  # of it, but for the sites of a ring


class Snapshots:
    """Copies of a network's weights, with the number of updates before each, ever rarer as training goes on."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, dict[str, Tensor]]] = []
        self._due = 0

    def __call__(self, moment: TrainingState) -> None:
        if moment.updates >= self._due:
            weights = {name: one.detach().clone() for name, one in moment.network.named_parameters()}
            self.frames.append((moment.updates, weights))
            self._due = max(moment.updates + 1, ceil(moment.updates * RATIO))


@final
class FilmCell(SystemCell):
    """A system met by a learner with one seed, to be filmed."""

    def run(self, data: Path) -> list[Trial]:
        dataset = observe(self.system, self.sampling, self.data_seed, data).data.to(self.device)
        snapshots = Snapshots()
        with before_each_update(snapshots):
            (predictor,), _ = self.fit(dataset, Predictor)
        record = Record(self.system_label, self.learner_label, self.seeds[0], "ok", "", ())
        return [Trial(record, predictor.log.curve, forecast_stages(predictor, snapshots, dataset))]

    def arrays(self, evidence: Any) -> Arrays:
        return {}


def forecast_stages(predictor: Predictor, snapshots: Snapshots, data: Dataset) -> Arrays:
    """Follow the first training trajectory with the weights of each stage of training, the last of which was kept.

    Of a planar flow, there is also the mean velocity over one sampling step on a grid; of known equations, each fitted
    parameter at each stage beside the true one. The weights of the predictor are left as those of the last stage.
    Forecasts and velocities of the model, and those of the system beside them, are under the names `film_...` of a
    film. Raises Unsuitable where the learner was not trained update by update, and where that trajectory ends with the
    context.
    """
    weights = predictor.weights()
    if not snapshots.frames or any(weights.keys() != frame.keys() for _, frame in snapshots.frames):
        raise Unsuitable("this learner is not trained update by update, so that there is nothing to film")
    stages = [*snapshots.frames, (predictor.log.updates, {name: one.clone() for name, one in weights.items()})]
    course = course_of(data)
    if course is None:
        raise Unsuitable("training trajectories end with the context, so that there is nothing to film")
    course = Course(course.observed.between(0, SAMPLES), course.truth[:, :SAMPLES])
    places = plane(predictor, data)
    forecasts, fields = [], []
    for _, stage in stages:
        for name, values in stage.items():
            weights[name].data.copy_(values)
        forecasts.append(follow(predictor, course, data.sampling.context))
        if places is not None:
            fields.append(learned_velocity(predictor, places, data.step))
    channels = slice(None if data.ring else CHANNELS)
    times = course.observed.times[0]
    arrays = {
        "film_updates": torch.tensor([updates for updates, _ in stages]),
        "film_times": (times - times[0]) / data.system.timescale,
        "film_truth": course.truth[0, :, channels],
        "film_data": course.observed.states[0, :, channels],
        "film_forecasts": torch.cat(forecasts)[..., channels],
    }
    if places is not None:
        assert isinstance(data.system, Flow)
        flow = true_velocity(data.system, places, data.step)
        arrays |= {"film_places": places, "film_fields": torch.stack(fields), "film_flow": flow}
    return {name: compact(values.numpy(force=True)) for name, values in arrays.items()} | _parameters(predictor, stages)


def _parameters(predictor: Predictor, stages: Sequence[tuple[int, dict[str, Tensor]]]) -> Arrays:
    """The parameters that known equations had at each stage, under their own names."""
    if predictor.calibration is None or predictor.parameters_at is None:
        return {}
    estimates = predictor.calibration.estimates
    fitted = [predictor.parameters_at(weights) for _, weights in stages]
    return {
        "film_names": np.array([one.name for one in estimates]),
        "film_true": np.array([one.true for one in estimates]),
        "film_fitted": np.array([[values[one.name] for one in estimates] for values in fitted]),
    }
