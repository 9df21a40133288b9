"""What the Common Task Framework's files hold: the parameter that made each, and which of them are the same."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench.published.common_task import STEP, CommonTask
from bench.published.series import Rows
from bench.published.table import Figure, PublishedTable, Row
from systems import Lorenz

FILES = (*(f"X{number}train" for number in range(1, 11)), *(f"X{number}test" for number in range(1, 10)))
PAIRS = 500  # of rows that follow one another, at most, spread over the file
GUESS, REACH, ROUNDS = 30.0, 1e-4, 4  # of the parameter


def rho_of(rows: Rows) -> tuple[float, float]:
    """The parameter rho of Lorenz' equations that takes each row to the next, and the error that it leaves.

    By least squares of one sampling step; the error is the root mean square, in standard deviations of the rows.
    """
    chosen = np.unique(np.linspace(0, len(rows) - 2, PAIRS).astype(int))
    before = rows[chosen]
    after = rows[chosen + 1]
    scale = rows.std(axis=0)

    def error(rho: float) -> np.ndarray:
        return ((Lorenz(rho=rho).solve(before, np.array([0.0, STEP]))[:, 1] - after) / scale).ravel()

    rho = GUESS
    for _ in range(ROUNDS):
        slope = (error(rho + REACH) - error(rho - REACH)) / (2 * REACH)
        rho -= float(slope @ error(rho) / (slope @ slope))
    return rho, float(np.sqrt(np.mean(error(rho) ** 2)))


def measure(root: Path, name: str) -> Sequence[Figure]:
    """The number of rows, and which files are the same; the parameter, and the error that it leaves."""
    task = CommonTask(root)
    own = task.rows(name)
    copies = [f"as {other}" for other in FILES if other != name and np.array_equal(task.rows(other), own)]
    rho, error = rho_of(own)
    return [Figure(len(own), decimals=0, note=", ".join(copies)), Figure(rho, decimals=2), Figure(error, decimals=5)]


def rows(files: Path) -> Sequence[Row]:
    """One for each file in the folder `ctf_lorenz`."""
    return [Row((name,), partial(measure, files / "ctf_lorenz", name)) for name in FILES]


table = PublishedTable(
    title="The files of the Common Task Framework",
    about=(
        "The parameter rho of Lorenz' equations by which each row of a file follows from the one before, and the error "
        "that is left, in standard deviations: 0 where the equations made the file, and what noise there is elsewhere. "
        "It is said to be 28."
    ),
    heads=("file", "rows", "rho", "error of one step"),
    rows=rows,
    notes=(
        "Where rows are noisy (X2train, X3train, X5train), noise on the earlier of two biases the parameter. The tests "
        "that go on from the first two have none; a trajectory fitted to all rows of X5train has 28.64 (standard error "
        "0.04), and not the 31.9 of X7test."
    ),
)
