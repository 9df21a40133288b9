"""Running a cell: measured again from what is kept of its fit, or fitted; and its files written."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import torch

from bench.cells.evidence import keep_fit, measure_again
from bench.cells.files import join_files, write_files, write_json
from bench.cells.key import Planned, apart, fit_key
from bench.cells.records import failed_trial
from bench.cells.trial import Trial
from bench.machine.environment import environment, process_usage
from results import Store


def run_cell(planned: Planned, store: Store, folder: Path) -> None:
    """Write the files of a cell into `folder`: of what has been fitted already, or else after fitting it.

    Of seeds that are fitted apart each fit is kept as it is made: an interrupted cell goes on behind the last one, and
    a cell of more seeds takes over those of one with fewer. Raises OSError where the folder or the store cannot be
    written.
    """
    alone = apart(planned)
    if len(alone) == 1:
        _run(planned, store, folder)
        return
    begin = perf_counter()
    with TemporaryDirectory(prefix=".seeds-", dir=folder) as places:
        parts = [Path(places, str(place)) for place in range(len(alone))]
        for one, part in zip(alone, parts, strict=True):
            part.mkdir()
            _run(one, store, part)
        surroundings = environment(planned.cell.device, torch.get_num_threads())
        join_files(folder, planned, parts, surroundings | process_usage(), perf_counter() - begin)
        if any((part / "fit.json").exists() for part in parts):
            write_json(folder / "fit.json", {"measured_again": fit_key(planned.cell)})


def _run(planned: Planned, store: Store, folder: Path) -> None:
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
