"""Whether a run is stationary, and whether it comes back: what must be known before it is called chaotic or regular."""

from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy import fft
from scipy.interpolate import CubicSpline
from scipy.stats import kendalltau

from metrics.dimension import divide

WINDOWS = 10  # of a run, over which its mean and its size are followed
SIGNIFICANT = 1e-3  # probability of a trend by chance, below which there is one
DRIFT = 0.03  # change from the first window to the last, in standard deviations, below which a trend does not matter
SETTLING = 0.9  # ratio of the sizes of the last and the first half, at most, on the way to a fixed point
STEADY = -0.7  # rank correlation of size with time, at most, likewise
RECURRING = 0.05  # distance after a period, relative to that of unrelated states, of a cycle
FEWEST_PERIODS = 8  # that a run must show

LongRun = Float64[np.ndarray, "samples dim"]
Trend = Float64[np.ndarray, "windows dim"]


def moments(run: LongRun) -> tuple[Trend, Trend]:
    """Mean and standard deviation of each channel in ten windows, weighted so that a window's ends count little.

    The weights (Hann's) keep what is left of an oscillation in a window from looking like a trend.
    """
    parts = np.array_split(run, WINDOWS)
    means, sizes = [], []
    for part in parts:
        weights = np.hanning(len(part) + 2)[1:-1]
        mean = np.average(part, axis=0, weights=weights)
        means.append(mean)
        sizes.append(np.sqrt(np.average((part - mean) ** 2, axis=0, weights=weights)))
    return np.array(means), np.array(sizes)


def trend_of(values: np.ndarray) -> Any:
    """Kendall's rank correlation of one number a window with time: `statistic` and `pvalue`."""
    return kendalltau(np.arange(WINDOWS), values)


def is_stationary(run: LongRun) -> bool:
    """Whether neither the mean nor the size of any channel, nor the size of the whole, follows a trend.

    A trend is one that chance makes of ten windows in less than one of a thousand cases (Kendall's rank correlation
    with time, corrected for the number of channels) and that changes by more than 3 % of the standard deviation from
    the first window to the last.
    """
    run = divide(run - run.mean(axis=0), run.std(axis=0))
    means, sizes = moments(run)
    whole = np.sqrt((sizes**2).mean(axis=1))
    trends = [*means.T, *sizes.T, whole]
    return not any(
        abs(trend[-1] - trend[0]) > DRIFT and trend_of(trend).pvalue < SIGNIFICANT / len(trends) for trend in trends
    )


def is_settling(run: LongRun) -> bool:
    """Whether a run keeps shrinking as a whole, and each channel to less than 0.9 of its size from half to half."""
    sizes = moments(run / run.std(axis=0))[1]
    whole = np.sqrt((sizes**2).mean(axis=1))
    earlier, later = (half.mean(axis=0) for half in np.array_split(sizes, 2))
    return bool((later <= SETTLING * earlier).all()) and trend_of(whole).statistic < STEADY


def is_periodic(run: LongRun, periods: int = FEWEST_PERIODS) -> bool:
    """Whether a run comes back after a period, again and again; so many of them it must show.

    Distances are root mean squares in standard deviations of each channel, relative to that of unrelated states. A
    period is a lag of at most that part of the run, after which states differ by less than a twentieth, but for a shift
    in time of less than a sample; and they must not differ by more after multiples of the period.
    """
    states = divide(run - run.mean(axis=0), run.std(axis=0))
    speed = np.gradient(states, axis=0)
    distances = _squared_distances(states)
    longest = len(states) // periods
    near = RECURRING**2 + (speed**2).mean() / 2  # of the sum of both: states may be half a sample apart in time
    minima = np.flatnonzero(
        (distances[1:-1] <= distances[:-2]) & (distances[1:-1] <= distances[2:]) & (distances[1:-1] <= near)
    )
    path = CubicSpline(np.arange(len(states)), states)
    return any(_recurs(path, states, speed, int(lag)) for lag in 1 + minima[minima < longest])


def _recurs(path: CubicSpline, states: LongRun, speed: LongRun, lag: int) -> bool:
    """Whether states differ little after a lag, and after ever larger multiples of it, up to 3/8 of the run or more."""
    rest, shift = _distance(path, states, speed, lag)
    period = lag - shift
    multiple = 1
    while rest <= RECURRING and multiple * period < 0.375 * len(states):
        choices = np.arange(multiple + 1, min(8 * multiple, int(0.75 * len(states) / period)) + 1)
        lags = choices * period
        best = np.abs(lags - np.round(lags)).argmin()  # close to a whole one: little is left to interpolation
        multiple = int(choices[best])
        rest, shift = _distance(path, states, speed, lags[best])
        period -= shift / multiple
    return rest <= RECURRING


def _squared_distances(states: LongRun) -> Float64[np.ndarray, " lags"]:
    """Mean square distance of states a lag apart, over twice the variance, for lags from 0 to half of the run."""
    count = len(states)
    length = fft.next_fast_len(2 * count)
    spectrum = np.asarray(fft.rfft(states, length, axis=0))
    products = np.asarray(fft.irfft(np.abs(spectrum) ** 2, length, axis=0))[: count // 2].sum(axis=1)
    squares = np.append(0.0, np.cumsum((states**2).sum(axis=1)))
    lags = np.arange(count // 2)
    both = squares[count - lags] + squares[-1] - squares[lags]
    return (both - 2 * products) / (2 * squares[-1] / count * (count - lags))


def _distance(path: CubicSpline, states: LongRun, speed: LongRun, lag: float) -> tuple[float, float]:
    """Root mean square distance of states about a lag apart, relative to that of unrelated ones, and by how much their
    best lag is shorter than that, in samples.

    Tried are the lag and the one that brings states nearest, by interpolation; and, for maps, which nothing can be
    interpolated in, the nearest whole lag, from which a common shift along the orbit is taken out.
    """

    def apart(after: float) -> tuple[LongRun, LongRun, float]:
        count = len(states) - int(np.ceil(after))
        change = path(np.arange(count) + after) - states[:count]
        along = (speed[:count] + path(np.arange(count) + after, 1)) / 2
        return change, along, float((change * along).sum() / max((along**2).sum(), np.finfo(float).tiny))

    change, _, ahead = apart(lag)
    tried = [(change, 0.0)]
    if abs(ahead) <= 1 < lag:
        tried.append((apart(lag - ahead)[0], ahead))
    whole = round(lag)
    change, along, ahead = apart(whole)
    if abs(ahead) <= 1:
        tried.append((change - ahead * along, lag - whole + ahead))
    sizes = [float(np.sqrt((change**2).mean() / (2 * (states**2).mean()))) for change, _ in tried]
    best = int(np.argmin(sizes))
    return sizes[best], tried[best][1]


def unpredictable(series: Float64[np.ndarray, " samples"], order: int = 40) -> float:
    """Error of the best linear prediction of a sample from those before it, in standard deviations of the series.

    Small for motion of a few frequencies, such as that on a torus; as large as the noise where there is noise.
    """
    centred = (series - series.mean()) / (series.std() or 1.0)
    past = np.lib.stride_tricks.sliding_window_view(centred[:-1], order)
    found = np.linalg.lstsq(past, centred[order:], rcond=None)[0]
    return float(np.sqrt(np.mean((centred[order:] - past @ found) ** 2)))
