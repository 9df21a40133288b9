"""A system that is observed in a way of its own, beside others in one suite: at irregular times, or in part."""

from dataclasses import dataclass, replace
from typing import Any

from systems.base import System, TimescaleName
from systems.configuration import label
from systems.protocol import Sampling
from systems.trajectories import Trajectories


@dataclass(frozen=True)
class Observation(System):
    """Another system under the protocol of a suite with a few changes; datasets remember the other system."""

    system: System

    @property
    def timescale_name(self) -> TimescaleName:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.system.timescale_name

    @property
    def ring(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.system.ring

    @property
    def dim(self) -> int:
        return self.system.dim

    @property
    def channel_names(self) -> tuple[str, ...]:
        return self.system.channel_names

    @property
    def timescale(self) -> float:
        return self.system.timescale

    @property
    def source(self) -> System:
        return self.system.source

    def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
        return self.system.observe(part, sampling, seed)


@dataclass(frozen=True)
class Irregular(Observation):
    """A system whose samples are jittered and dropped (as `Sampling` says) where learners are given them."""

    jitter: float = 0.8
    dropped: float = 0.3

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        return self.system.adapt(replace(sampling, jitter=self.jitter, dropped=self.dropped), seed)


@dataclass(frozen=True)
class Retraced(Observation):
    """A system whose one forecast starts about the centre of the protocol, as its training trajectories do."""

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        return replace(self.system.adapt(sampling, seed), elsewhere=False, test=1)


@dataclass(frozen=True)
class Partial(Observation):
    """A system of which only some channels are observed."""

    channels: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))  # a list could not be told from others by its hash

    @property
    def ring(self) -> bool:
        return False  # what is left has no neighbours

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        return self.system.adapt(replace(sampling, channels=self.channels), seed)


@dataclass(frozen=True)
class Under(Observation):
    """A system under a protocol with other fields, by their names, whatever way of observing it has of its own.

    Raises ValueError where the system decides a field itself, as a recording its step.
    """

    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def shown_as(self) -> str:
        """What tables call it."""
        return f"{label(self.system)} under {', '.join(f'{name}={value}' for name, value in self.changes)}"

    def adapt(self, sampling: Sampling, seed: int) -> Sampling:
        changes = dict(self.changes)
        source = self.system.source
        before, after = source.adapt(sampling, seed), source.adapt(replace(sampling, **changes), seed)
        for name, value in changes.items():
            if getattr(after, name) == getattr(before, name) != value:
                raise ValueError(
                    f"{label(source)} has Sampling.{name}={getattr(after, name)}, whatever is asked for: "
                    f"it cannot be {value}, so leave it out"
                )
        followed = {name: getattr(after, name) for name in changes}
        return replace(self.system.adapt(replace(sampling, **changes), seed), **followed)
