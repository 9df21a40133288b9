"""Running a cell: measured again from what is kept of its fit, or fitted; and its files written."""

from pathlib import Path
from time import perf_counter

import torch

from bench.cells.evidence import keep_fit, measure_again
from bench.cells.files import write_files
from bench.cells.key import Planned, fit_key
from bench.cells.records import failed_trial
from bench.cells.trial import Trial
from bench.machine.environment import environment, process_usage
from results import Store


def run_cell(planned: Planned, store: Store, folder: Path) -> None:
    """Write the files of a cell into `folder`: of what has been fitted already, or else after fitting it.

    Raises OSError where the folder or the store cannot be written.
    """
    fits = Store(store.root, "fits")
    name = fit_key(planned.cell)
    if measure_again(planned, fits, name, folder):
        return
    trials = fit_cell(planned, store.root / "data", folder)
    if not planned.cell.learner.reference:  # yardsticks are fitted as fast as they are read
        keep_fit(planned, fits, name, trials, folder)


def fit_cell(planned: Planned, data: Path, folder: Path) -> list[Trial]:
    """Fit and measure a cell, write its files into `folder`, and return a trial for each seed, in their order.

    Datasets are in the folder `data`. No error of the system, the learner or a metric is raised: it becomes a record,
    and its traceback goes to stderr.
    """
    cell = planned.cell
    begin = perf_counter()
    surroundings = environment(cell.device, torch.get_num_threads())
    try:
        trials = cell.run(data)
    except Exception as error:
        failure = failed_trial(cell, cell.seeds[0], error)
        trials = [failure.of(seed) for seed in cell.seeds]
    write_files(folder, planned, trials, surroundings | process_usage(), perf_counter() - begin)
    return trials
