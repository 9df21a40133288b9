"""Adaptive integration in which each trajectory of a batch has a clock and a step of its own; of numpy or torch."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from types import ModuleType
from typing import Any, ClassVar, NamedTuple, Self

Array = Any  # of numpy or torch

BLOCK = 2**20  # numbers in the steps that are kept before the samples within them are worked out


class Start(NamedTuple):
    """From where trajectories are integrated."""

    trajectory: Array  # whole numbers `[batch]`
    t: Array  # `[batch]`, as `last` and `step`
    last: Array  # times
    x: Array  # states `[batch, dim]`
    step: Array  # that is tried first


@dataclass(frozen=True)
class Steps:
    """Steps that trajectories took, each at a time of its own, from old states to new ones."""

    trajectory: Array  # whole numbers `[batch]`
    begin: Array  # `[batch]`, as `end` and `length`
    end: Array
    length: Array
    old: Array  # `[batch, dim]`, as `new`
    new: Array
    slopes: Array  # `[slope, batch, dim]`, and what else the states between old and new ones are found by

    def only(self, chosen: Array) -> Self:
        """Those of the steps that are true in `chosen`, `[batch]`."""
        if chosen.all():
            return self
        *others, slopes = vars(self).values()
        batch: list[Any] = [each[chosen] for each in others]
        return type(self)(*batch, slopes=slopes[:, chosen])

    @classmethod
    def joined(cls, steps: list[Self], arrays: ModuleType) -> Self:
        """All steps in one batch; `arrays` is numpy or torch."""
        *others, slopes = zip(*(vars(each).values() for each in steps), strict=True)
        batch: list[Any] = [arrays.concatenate(each) for each in others]
        return cls(*batch, slopes=arrays.concatenate(slopes, axis=1))


class Embedded(ABC):
    """An embedded Runge-Kutta pair at work: one step, how far the next one may go, and what becomes of those taken."""

    arrays: ClassVar[ModuleType]  # numpy or torch
    slack: ClassVar[float] = 1.0  # a last step may be so many times as long as the error allows

    @abstractmethod
    def velocity(self, t: Array, x: Array) -> Array:
        """Slopes `[batch, dim]` at times `[batch]`."""

    @abstractmethod
    def attempt(self, trajectory: Array, t: Array, x: Array, slope: Array, h: Array) -> tuple[Array, Array, Array]:
        """New states; slopes `[slope, batch, dim]`, of which the last is that at the new states; errors in tolerances.

        A step is taken where its error is at most 1.
        """

    @abstractmethod
    def resize(self, h: Array, error: Array, accepted: Array) -> Array:
        """The length that the next step may have, by the error of the last one."""

    @abstractmethod
    def continues(self, trajectory: Array, t: Array, last: Array, x: Array, step: Array) -> Array:
        """Which trajectories go on: those neither at their end nor given up. May raise FloatingPointError instead."""

    def integrate(
        self, trajectory: Array, t: Array, last: Array, x: Array, step: Array, fill: Callable[[Steps], None]
    ) -> None:
        """Take trajectories from states x `[batch, dim]` at times t to their last times; each tries `step` first.

        `fill` is told of all steps that are taken, many at a time, so that it can find the states at samples in them.
        """
        where = self.arrays.where
        slope = self.velocity(t, x)
        taken = []
        while len(x):
            h = where(step * self.slack < last - t, step, last - t)
            new, slopes, error = self.attempt(trajectory, t, x, slope, h)
            accepted = error <= 1
            end = where(h == last - t, last, t + h)
            taken.append(Steps(trajectory, t, end, h, x, new, slopes).only(accepted))
            x = where(accepted[:, None], new, x)
            slope = where(accepted[:, None], slopes[-1], slope)
            t = where(accepted, end, t)
            step = self.resize(h, error, accepted)
            going = self.continues(trajectory, t, last, x, step)
            if not going.all():
                trajectory, t, last, x, step, slope = (each[going] for each in (trajectory, t, last, x, step, slope))
            if len(taken) * prod(slopes.shape) > BLOCK or not len(x):
                fill(Steps.joined(taken, self.arrays))
                taken = []
