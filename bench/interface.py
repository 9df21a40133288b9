"""Bench from Python: `run` a suite, `evaluate` a model of your own, and look at a `Run`, in notebooks and scripts."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import nan
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bench.catalogue import plugins
from bench.catalogue.rebuilding import rebuild
from bench.cells.cell import Cell
from bench.cells.data import observe
from bench.cells.forecasting import ForecastCell, evidence_of
from bench.cells.forecasts import forecast_part
from bench.cells.key import Planned
from bench.cells.run import run_cell
from bench.errors import UserError, at_least, unknown
from bench.machine.meter import Usage
from bench.planning.plan import plan_suite
from bench.planning.selection import check_suitable, select
from bench.planning.sweep import sweep as swept
from bench.request import Conditions, Request
from bench.runner.run import needs_main
from bench.runs import run_missing, write_report, writing_to
from bench.suite import Suite, load
from learners import Learner, Predictor
from learners.training.training_step import collect_steps
from metrics import STANDARD, Metric, Undefined
from results.report.figure_data import FigureData, Picture
from results.report.pictures import Omissions, pictures_of
from results.store.run import Run as StoredRun
from results.store.run import StoredCell
from results.tables.tables import leaderboard
from systems import Dataset, System
from systems.ground_truth import ground_truth_time

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run(
    suite: str | Suite,
    *,
    systems: Sequence[str | System] = (),
    learners: Sequence[str | Learner] = (),
    seeds: int | None = None,
    sweep: Mapping[str, Iterable[Any]] | None = None,
    budget: str = "standard",
    out: str | Path = "runs",
    jobs: int | None = None,
) -> "Run":
    """Run what is missing of a suite, or of a part of it, and return all of it.

    Finished cells are kept in `out`, as by the command line, and never run again. Raises UserError where something does
    not exist or cannot be run.

    Args:
        suite: its name, the path of its file, or a suite made here.
        systems: only these, by name ("Lorenz[rho=30]") or made here.
        learners: only these, beside the suite's reference rows.
        seeds: how many, in place of the suite's number.
        sweep: values in turn of fields, such as {"Sampling.noise": [0, 0.1]}; of several, each with each.
        budget: "quick", "standard" or "paper".
        out: the folder of the store.
        jobs: cells at a time; if not given, one a core.
    """
    if not isinstance(suite, (str, Suite)):
        raise UserError(f"suite is a name, the path of a file as text, or a Suite, but is {suite!r}")
    for name, number in {"seeds": seeds, "jobs": jobs}.items():
        if number is not None and not isinstance(number, Integral):
            raise UserError(f"{name} is a whole number, such as 3, but is {number!r}")
    systems, learners = _several("systems", systems), _several("learners", learners)
    found = load(suite) if isinstance(suite, str) else suite
    axes = [
        f"{name}={','.join(map(_written, _several(f'sweep[{name!r}]', values)))}"
        for name, values in (sweep or {}).items()
    ]
    found = swept(_narrowed(found, systems, learners), axes)
    at_least("seeds", seeds, 1)
    found = found if seeds is None else replace(found, seeds=seeds)
    request = Request(
        suite=suite if isinstance(suite, str) else found.name,
        systems=[one for one in systems if isinstance(one, str)],
        learners=[one for one in learners if isinstance(one, str)],
        sweeps=axes,
        budget=budget,
        out=Path(out),
        jobs=jobs,
    )
    planned = plan_suite(found, request)
    if _is_notebook() and any(needs_main(one.cell) for one in planned.cells):
        with writing_to(planned.store.root):
            planned.write_manifest()
            _run_here(planned.cells, planned.store)
    else:
        run_missing(planned, Conditions(jobs=planned.jobs))
    return Run(StoredRun.load(planned.folder), planned.cells)


def _several(name: str, given: Any) -> tuple[Any, ...]:
    """What was given as several. Raises UserError where it is one alone, as a name, which is a sequence of letters."""
    if isinstance(given, (str, Mapping)) or not isinstance(given, (Iterable, type(None))):
        raise UserError(f"{name} takes several in a list, but is {given!r}: write {name}=[{given!r}]")
    return () if given is None else tuple(given)


def _written(value: Any) -> str:
    """A value as the command line takes it; numbers of NumPy as those of Python."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def evaluate(model: Predictor, data: Dataset, metrics: Sequence[Metric] = STANDARD) -> pd.Series:
    """What metrics measure of a model on the test data, by name; NaN where there is nothing to measure.

    The reasons for that are in `attrs["undefined"]`. What fitting took is known of models that a training loop made.
    """
    if isinstance(model, Learner):
        raise UserError(f"evaluate takes a fitted model, but {model!r} is a learner: write {model!r}.fit(data)")
    if not isinstance(data, Dataset):
        raise UserError(f"evaluate takes a dataset, as sample(system) gives it, but is given {type(data).__name__}")
    metrics = _several("metrics", metrics)
    for one in metrics:
        if not isinstance(one, Metric):
            raise UserError(f"metrics holds {one!r}, which is no metric: take them from the package metrics")
    name = type(model).__name__
    context = data.sampling.context
    test, climate = (forecast_part(model, part, context, "cpu", name)[0] for part in (data.test, data.climate))
    evidence = evidence_of(model, data, ground_truth_time(data), test, climate, Usage(nan, 0), 1)
    values, undefined = dict[str, float](), dict[str, str]()
    for metric in metrics:
        try:
            values[metric.name] = float(metric.measure(evidence))
        except Undefined as reason:
            values[metric.name] = nan
            undefined[metric.name] = str(reason)
    found = pd.Series(values, name=name, dtype=float)
    found.attrs["undefined"] = undefined
    return found


@dataclass(frozen=True)
class Run:
    """The results of a suite: all that its report is made from."""

    stored: StoredRun
    made_from: tuple[Planned, ...] | None = None  # the cells, where they are at hand

    @classmethod
    def load(cls, folder: str | Path) -> "Run":
        """The run in a folder such as `runs/chaos`."""
        return cls(StoredRun.load(Path(folder)))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row for each metric of each trial: system, learner, seed, metric, value, unit, better, status, reason."""
        return self.stored.frame()

    def leaderboard(self) -> pd.DataFrame:
        """A row for each learner: mean rank, the leading metric on each system, and costs."""
        run = self.stored
        return leaderboard(self.frame, run.learners, run.references, run.timescales).values

    @property
    def figures(self) -> list[str]:
        """The names of the figures that `figure` draws."""
        return list(self._pictures)

    def figure(self, name: str) -> "Figure":
        """One figure of the report, such as "error_growth". Raises UserError where the run has none of this name."""
        if name not in self._pictures:
            raise unknown("figure", name, self._pictures)
        return self._pictures[name].draw()

    def report(self, folder: str | Path | None = None) -> Path:
        """Write the report, with tables and figures, into the run's folder or another; the path of its page."""
        return write_report(self.stored, show=False, elsewhere=None if folder is None else Path(folder))

    def model(self, system: str, learner: str, seed: int = 0) -> Predictor:
        """A fitted model, with the weights that its cell has kept. System and learner are named as in the tables."""
        stored = next((one for one in self.stored.finished if (one.system, one.learner) == (system, learner)), None)
        if stored is None:
            places = [f"{one.learner} on {one.system}" for one in self.stored.finished]
            raise unknown("model", f"{learner} on {system}", places)
        if seed not in (seeds := self.stored.manifest["seeds"]):
            raise unknown("seed", str(seed), [*map(str, seeds)], f"or run with --seeds {seed + 1}")
        cell = self.cell(stored)
        if not isinstance(cell.system, System):
            raise UserError(f"{system} is a set of images, whose models forecast nothing")
        data = observe(cell.system, cell.sampling, cell.data_seed, self.stored.store.root / "data").data
        with collect_steps():  # so that nothing is trained
            predictor = cell.learner.fit(data, cell.budget, seed)
        kept = self.stored.store.weights(stored.key)
        for name, tensor in (predictor.weights() | predictor.constants()).items():
            try:
                tensor.detach().copy_(tensor.new_tensor(kept[f"{seed}.{name}"]))
            except (KeyError, RuntimeError) as error:
                raise UserError(
                    f"{learner} on {system} has kept no weights of seed {seed} that fit ({name}: {error}): "
                    "run the cell again with --rerun"
                ) from error
        return predictor

    def cell(self, stored: StoredCell) -> Cell:
        """A cell as it was made: what met in it, from the objects that were run, or built anew from what it has kept.

        Raises UserError where that cannot be done, as where the file of a learner or of a recording is gone.
        """
        for one in self.made_from or ():
            if one.key == stored.key:
                return one.cell
        asked = self.stored.manifest["asked"]
        files = [*asked["include"], *([asked["suite"]] if asked["suite"].endswith(".py") else [])]
        modules = [plugins.import_file(Path(path)) for path in files]
        kept = self.stored.store.cell(stored.key)["configuration"]
        built = {name: rebuild(kept[name], modules) for name in ("system", "learner", "sampling", "budget")}
        return ForecastCell(**built, metrics=(), seeds=tuple(kept["seeds"]), data_seed=kept["data_seed"])

    @cached_property
    def _pictures(self) -> dict[str, Picture]:
        return {one.name: one for one in pictures_of(FigureData(self.stored, self.frame), Omissions())}

    def __repr__(self) -> str:
        run = self.stored
        finished = f"{len(run.finished)} of {len(run.cells)} cells"
        seeds = len(run.manifest["seeds"])
        return f"Run({run.suite}, budget {run.budget}: {finished}, {seeds} seeds, in {run.folder})"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.leaderboard().to_html(float_format='%.3g', na_rep='')}"


def _narrowed(suite: Suite, systems: Sequence[Any], learners: Sequence[Any]) -> Suite:
    """The part of a suite that is named, and what was made here in place of the rest."""
    named = [[one for one in chosen if isinstance(one, str)] for chosen in (systems, learners)]
    mine = [tuple(one for one in chosen if not isinstance(one, str)) for chosen in (systems, learners)]
    suite = select(suite, *named)
    if mine[0]:
        suite = replace(suite, systems=(*mine[0], *(suite.systems if named[0] else ())))
    if mine[1]:
        kept = suite.learners if named[1] else (one for one in suite.learners if one.reference)
        suite = replace(suite, learners=(*mine[1], *kept))
        for learner in mine[1]:
            check_suitable([learner], suite.systems)
    return suite


def _is_notebook() -> bool:
    """Whether `__main__` is no file, so that no other process can import what it defines."""
    return not hasattr(sys.modules["__main__"], "__file__")


def _run_here(cells: Sequence[Planned], store: Any) -> None:
    """Run the cells that the store lacks in this process."""
    for planned in cells:
        if not store.finished(planned.key):
            with store.stage(planned.key) as folder:
                run_cell(planned, store, folder)
