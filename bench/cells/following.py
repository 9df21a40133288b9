"""The first training trajectory: what a learner saw of it, what is true of it, and how a model follows it."""

from typing import NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from bench.cells.fields import forecast_or_nan
from bench.cells.stages import Weights, with_weights
from learners import Predictor, Unsuitable
from metrics.base import Fit
from systems import Dataset, Trajectories

SAMPLES = 1000  # of it, at the most


class Course(NamedTuple):
    """The first training trajectory, `[1, time]`, with its noise, and the true states at the same times."""

    observed: Trajectories
    truth: Float64[Tensor, "1 time dim"]


def course_of(data: Dataset) -> Course | None:
    """The first training trajectory; None where it ends with the context."""
    whole = data.train.between(0, SAMPLES)
    sampling = data.sampling
    if whole.states.shape[1] <= sampling.context:
        return None
    observed = Trajectories(whole.times[:1], whole.states[:1])
    if not sampling.noise and not sampling.error:
        return Course(observed, observed.states)
    clean = data.system.observe("train", sampling, data.seed).between(0, SAMPLES).states[:1, :, data.channels]
    return Course(observed, clean.to(observed.states.device))


def follow(predictor: Predictor, course: Course, context: int) -> Float64[Tensor, "1 time dim"]:
    """The model's forecast along a course from its first samples, at which it is NaN."""
    past = course.observed.between(0, context)
    times = course.observed.times[:, context:]
    given = torch.full_like(past.states, torch.nan)
    return torch.cat([given, forecast_or_nan(predictor, past, times)], dim=1)


def fit_of(predictor: Predictor, data: Dataset, before: Weights | None = None) -> Fit | None:
    """The model's forecast along the first training trajectory, and that with the weights `before` training, if any.

    None where there is none: on a ring of sites, within the context alone, at times that the model cannot go to.
    """
    course = course_of(data)
    if course is None or data.ring:
        return None
    try:
        forecast = follow(predictor, course, data.sampling.context)
    except Unsuitable:
        return None
    states = [course.observed.states, course.truth, forecast]
    if before:
        with with_weights(predictor, before):
            states.append(follow(predictor, course, data.sampling.context))
    times = (course.observed.times - course.observed.times[:, :1]) / data.system.timescale
    return Fit(times[0].numpy(force=True), *(one[0, :, : data.scored].numpy(force=True) for one in states))
