"""What is published of a system, or committed with it: what its certificate holds it to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SPROTT = "Sprott 2003"  # "Chaos and time-series analysis", Oxford University Press
SPROTT_1994 = "Sprott 1994"  # "Some simple chaotic flows", Physical Review E 50
WOLF = "Wolf 1985"  # and others, "Determining Lyapunov exponents from a time series", Physica D 16, there in bits
TWO_ORBITS = "two orbits"  # none is published that holds: by another code, the parting of two orbits rescaled
TWO_CODES = "two codes"
LONG_RUNS = "200 long runs"
LINEARISED = "linearised"
CLOSED_FORM = "closed form"


@dataclass(frozen=True)
class Attractor:
    """What is known of an attractor, and the runs that measure it; times in timescales."""

    leading: tuple[float, float, str]  # Lyapunov exponent, its tolerance, its source
    dimension: tuple[float, float, str] | None = None  # Kaplan-Yorke's, likewise
    second: tuple[float, float, str] | None = None  # Lyapunov exponent, where that is positive, too
    states: int = 100
    warm_up: float = 6.0
    time: float = 6.0
    step: float | None = None  # of their scheme, where the one that is accurate for most states is not for long runs


@dataclass(frozen=True)
class Orbit:
    """What is known of a period: that of the upward crossings of `level` by a state variable, the first by default."""

    period: float
    start: tuple[float, ...]
    source: str
    channel: int = 0
    level: float = 0.0
    settle: int = 0  # timescales before the first crossing counts
    accuracy: float = 1e-5  # relative


@dataclass(frozen=True)
class Published:
    """What is known of a system at certain parameters."""

    digest: str | None = None  # of its data, as `systems.certificates.certificate.digest` gives it
    attractor: Attractor | None = None
    orbit: Orbit | None = None
    at: Mapping[str, Any] = field(default_factory=dict)  # the parameters that are not the defaults


def known_of(system: Any) -> Published:
    """What is known of a system; a class does not inherit what is known of another."""
    kind = type(system)
    return next((known for known in vars(kind).get("published", ()) if kind(**known.at) == system), Published())


def true_values(system: Any) -> dict[str, float]:
    """What is published of a system's long runs, by the metrics that are best near it; rates are per timescale."""
    source = getattr(system, "source", system)
    attractor = known_of(source).attractor
    if attractor is None:
        return {}
    exponent = attractor.leading[0] * source.timescale
    dimension = {"kaplan_yorke_dimension": attractor.dimension[0]} if attractor.dimension else {}
    return {"lyapunov_exponent": exponent, "divergence_rate": exponent} | dimension
