"""Checks of what is measured, with errors that say what is wrong and where."""

import numpy as np
from jaxtyping import Float64


def check_forecast(
    truth: Float64[np.ndarray, "batch time dim"], forecast: Float64[np.ndarray, "batch time dim"]
) -> None:
    """Raise ValueError unless the truth is a finite `[batch, time, dim]` array and the forecast has its shape."""
    if truth.ndim != 3 or 0 in truth.shape:
        raise ValueError(f"the truth must be a non-empty [batch, time, dim] array, but has the shape {truth.shape}")
    if forecast.shape != truth.shape:
        raise ValueError(f"the forecast must have the truth's shape {truth.shape}, but has {forecast.shape}")
    if not np.isfinite(truth).all():
        batch, time, channel = np.argwhere(~np.isfinite(truth))[0]
        value = truth[batch, time, channel]
        raise ValueError(f"the truth must be finite, but is {value} in state {batch}, sample {time}, channel {channel}")
