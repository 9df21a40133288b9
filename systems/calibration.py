"""What a fit of known equations found: their parameters, beside what is true and what the noise allows."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class EstimatedParameter:
    """One parameter of a system's equations that was fitted to noisy data."""

    name: str
    true: float
    fitted: float
    deviation: float  # least standard deviation of unbiased fits to such data (Cramer and Rao); NaN: not known

    @property
    def relative_error(self) -> float:
        """Size of the error over that of the true value; where this is zero, the error itself."""
        return abs(self.fitted - self.true) / (abs(self.true) or 1.0)

    @property
    def relative_deviation(self) -> float:
        """The least deviation over the size of the true value; where this is zero, itself."""
        return self.deviation / (abs(self.true) or 1.0)

    def __str__(self) -> str:
        error = self.fitted - self.true
        return f"{self.name} = {self.fitted:.6g}, truly {self.true:.6g}: error {error:.2g}, floor {self.deviation:.2g}"


@dataclass(frozen=True)
class Calibration:
    """The outcome of one fit: its parameters, and what it leaves of the training data."""

    estimates: tuple[EstimatedParameter, ...]
    misfit: float = inf  # mean squared residual, in units of the noise's variance or else the signal's; NaN: not known
