"""The Common Task Framework's Lorenz task: twelve scores on nine pairs of training and test files, from files to table.

Wyder et al., "Common task framework for a critical evaluation of scientific machine learning algorithms",
arXiv 2510.23166, 2025. The files are those of its public release; what is wrong with them is told in the docs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from scipy.io import loadmat
from scipy.signal import savgol_coeffs, savgol_filter

from learners import Learner
from learners.base import STANDARD, Budget
from metrics import histogram_score, short_time_score
from systems import Dataset, Lorenz, Sampling, Trajectories

Rows = Float64[np.ndarray, "rows 3"]

STEP = 0.05  # time units between two rows
LOWEST = -100.0  # of all scores
PIECE = 500  # rows of the pieces that long training files are cut into
CONTEXT = 16  # rows before a forecast
VALIDATION = 0.2  # of the rows, the last ones
SCORES = tuple(f"E{number}" for number in range(1, 13))
NOISY = ("X2train", "X3train", "X5train")  # as the task says: learners and reconstructions see them filtered
FILTERS = [(window, degree) for window in (5, 7, 9, 11, 15, 21) for degree in (2, 4)]


@dataclass(frozen=True)
class Task:
    """One pair of files, and what is scored on it: short time, long time, or reconstruction."""

    train: str  # whose trajectory trains
    test: str
    short: str = ""  # the name of each score that is made
    long: str = ""
    reconstruction: str = ""


TASKS = (
    Task("X1train", "X1test", short="E1", long="E2"),
    Task("X2train", "X2test", reconstruction="E3"),
    Task("X2train", "X3test", long="E4"),
    Task("X3train", "X4test", reconstruction="E5"),
    Task("X3train", "X5test", long="E6"),
    Task("X4train", "X6test", short="E7", long="E8"),
    Task("X5train", "X7test", short="E9", long="E10"),
    Task("X9train", "X8test", short="E11"),
    Task("X10train", "X9test", short="E12"),
)
# Of Lorenz, by training file: found by fits of the equations to one step, which leave no residual.
RHO = {
    "X1train": 28.7, "X2train": 29.7, "X3train": 31.9, "X4train": 33.7, "X5train": 31.9, "X9train": 34.3,
    "X10train": 37.6,
}  # fmt: skip


@dataclass(frozen=True)
class CommonTask:
    """The files of the task in a folder. Raises FileNotFoundError, which names what is missing, as they are read."""

    root: Path

    def rows(self, name: str) -> Rows:
        """What one file holds."""
        path = self.root / f"{name}.mat"
        if not path.exists():
            raise FileNotFoundError(f"{path}: the public files of the Common Task Framework's Lorenz task belong there")
        (found,) = (value for key, value in loadmat(path).items() if not key.startswith("__"))
        return np.ascontiguousarray(found, dtype=np.float64)

    def scores(self, learner: Learner, budget: Budget = STANDARD, seed: int = 0) -> dict[str, float]:
        """All twelve scores of a learner, which is fitted to each training file once."""
        forecasts = {}
        for task in TASKS:
            if not task.reconstruction:
                data = self.dataset(task)
                samples = len(self.rows(task.test))
                model = learner.fit(data, budget, seed)
                past = data.test.between(0, CONTEXT)
                offsets = STEP * torch.arange(1, samples + 1, dtype=torch.float64)
                with np.errstate(over="ignore", invalid="ignore"):
                    forecasts[task.test] = model.forecast_after(past, offsets).states[0].numpy()
            else:
                forecasts[task.test] = filtered(self.rows(task.train))
        return self.judge(forecasts)

    def judge(self, forecasts: Mapping[str, Rows]) -> dict[str, float]:
        """The twelve scores of what is said of each test file."""
        found: dict[str, float] = {}
        for task in TASKS:
            truth, forecast = self.rows(task.test)[None], forecasts[task.test][None]
            if task.short:
                found[task.short] = float(short_time_score(truth, forecast)[0])
            if task.long:
                found[task.long] = float(histogram_score(truth, forecast)[0])
            if task.reconstruction:
                found[task.reconstruction] = float(short_time_score(truth, forecast, first=truth.shape[1])[0])
        return {name: max(LOWEST, found[name]) for name in SCORES}

    def dataset(self, task: Task) -> Dataset:
        """A training file as learners see it: the last rows validate, and a forecast goes on from the very last.

        The system is Lorenz' at the parameter that made the file, of which only the true equations make use.
        """
        rows = self.rows(task.train)
        rows = filtered(rows) if task.train in NOISY else rows
        ends = len(rows) - max(2 * CONTEXT, round(VALIDATION * len(rows)))
        train, valid = pieces(rows[:ends]), pieces(rows[ends:])
        test = trajectories([np.concatenate([rows[-CONTEXT:], self.rows(task.test)])])
        system = Lorenz(rho=RHO[task.train])
        step = STEP / system.timescale
        sampling = Sampling(
            step=step,
            trajectories=len(train),
            samples=len(train[0]),
            valid=len(valid),
            test=1,
            context=CONTEXT,
            horizon=step * (test.states.shape[1] - CONTEXT),
            climate=1,
            climate_horizon=step * (test.states.shape[1] - CONTEXT),
        )
        return Dataset(system, sampling, 0, trajectories(train), trajectories(valid), test, test)


def pieces(rows: Rows) -> list[Rows]:
    """Rows in pieces of equal length, at most `PIECE` long; what does not fill them is left out at the beginning."""
    count = -(-len(rows) // PIECE)
    length = len(rows) // count
    return np.split(rows[len(rows) - count * length :], count)


def trajectories(runs: Sequence[Rows]) -> Trajectories:
    """Runs of equal length, each from time 0."""
    states = torch.from_numpy(np.stack(runs))
    times = STEP * torch.arange(states.shape[1], dtype=torch.float64)
    return Trajectories(times.expand(len(states), -1).clone(), states)


def filtered(rows: Rows) -> Rows:
    """Noisy rows through the filter of Savitzky and Golay that best foretells each row from those about it.

    The error of leaving a row out follows from the residual and the row's own weight in the filter, as for any least
    squares.
    """

    def error(window: int, degree: int) -> float:
        own = savgol_coeffs(window, degree)[window // 2]
        inner = slice(window, -window)
        residual = (rows - savgol_filter(rows, window, degree, axis=0))[inner]
        return float((residual**2).mean()) / (1 - own) ** 2

    return np.asarray(savgol_filter(rows, *min(FILTERS, key=lambda one: error(*one)), axis=0))
