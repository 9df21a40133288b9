"""Checks of hyper-parameters, with errors that name the field, the value received and the rule."""

from typing import Any

from learners.base import Unsuitable
from systems import Dataset, Map
from systems.configuration import label


def positive(component: Any, *names: str) -> None:
    """Raise ValueError unless every named field is positive."""
    for name in names:
        value = getattr(component, name)
        if not value > 0:
            raise ValueError(f"{type(component).__name__}.{name} must be positive, but is {value!r}")


def not_negative(component: Any, *names: str) -> None:
    """Raise ValueError where a named field is negative."""
    for name in names:
        value = getattr(component, name)
        if not value >= 0:
            raise ValueError(f"{type(component).__name__}.{name} must not be negative, but is {value!r}")


def flows_only(learner: Any, dataset: Dataset) -> None:
    """Raise Unsuitable where there is no velocity to be learned, since the system is a map."""
    if isinstance(dataset.system, Map):
        name = type(learner).__name__
        raise Unsuitable(f"{name} learns a flow in continuous time, but {label(dataset.system)} is a map")


def window_within_context(component: Any, dataset: Dataset) -> None:
    """Raise ValueError where the learner's window is longer than the context of a forecast."""
    context = dataset.sampling.context
    if context < component.window:
        raise ValueError(
            f"{type(component).__name__}.window={component.window} needs as many samples before a forecast, but "
            f"Sampling.context={context}: lower the window or raise the context"
        )
