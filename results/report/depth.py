"""The figures of continuous depth of a run of classifiers, and of memory against the steps of a solver."""

from collections.abc import Iterator, Mapping
from functools import partial

import pandas as pd

from results.figures import depth as depth_figures
from results.figures.depth import MEASURES, memory_against_steps
from results.report.figure_data import FigureData, Picture
from results.statistics.trials import column, summary

STEPS = "nfe_forward"
FEWEST = 3  # numbers of steps that make a curve
RANGE = 2.0  # ratio of the most to the fewest steps that makes a curve
SWEEPS = (
    (
        "depth_error",
        "Numerical error against evaluations",
        "Error of the block of continuous depth, relative to a double-precision solution at tolerance 1e-7, at "
        "tolerances from 0.1 to 1e-5 of the trained model: medians over seeds, each seed as a faint point.",
        depth_figures.ERROR,
    ),
    (
        "depth_time",
        "Time against evaluations",
        "Time of the forward pass of the block on one batch of 128 test images, at the same tolerances: medians of ten "
        "rounds over all of them.",
        depth_figures.TIME,
    ),
    (
        "depth_backward",
        "Backward against forward evaluations",
        "Evaluations of the backward pass against those of the forward pass, at the same tolerances. Without an "
        "adjoint every forward evaluation is differentiated once.",
        depth_figures.BACKWARD,
    ),
    (
        "depth_memory",
        "Memory against evaluations",
        "What automatic differentiation keeps of the block's forward pass, at the same tolerances.",
        depth_figures.MEMORY,
    ),
)


def depth_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of continuous depth of a run that has swept tolerances; none of any other run."""
    sweep = depth_sweep(data)
    if not len(sweep):
        return
    for name, title, caption, relation in SWEEPS:
        yield Picture(name, title, caption, partial(depth_figures.sweep_figure, sweep, data.styles, relation))
    curves = data.run.curves()
    curves = curves.loc[curves["learner"].isin(sweep["learner"])]
    yield Picture(
        "depth_training",
        "Evaluations while training",
        "Forward evaluations of one update as training goes on: median over seeds, between the fewest and the most.",
        partial(depth_figures.evaluations_in_training, curves, data.styles),
    )


def depth_sweep(data: FigureData) -> pd.DataFrame:
    """A row for each system, learner, seed and tolerance that was swept; empty where none was."""
    found = []
    for cell in data.run.finished:
        arrays = data.cells[cell.system, cell.learner]
        columns = {name.removeprefix("sweep_"): values for name, values in arrays.items() if name.startswith("sweep_")}
        for place, record in enumerate(data.run.store.records(cell.key) if columns else ()):
            here = pd.DataFrame({name: values[place] for name, values in columns.items()})
            found.append(here.assign(system=cell.system, learner=cell.learner, seed=record.seed))
    sweep = pd.concat(found, ignore_index=True).dropna() if found else pd.DataFrame()
    if len(sweep):
        sweep = sweep.assign(milliseconds=1e3 * sweep["forward_seconds"], mebibytes=sweep["saved_bytes"] / 2**20)
    return sweep


def memory_pictures(data: FigureData) -> Iterator[Picture]:
    """The figure of memory, where there is anything to draw."""
    kinds = {learner: component.kind for learner, component in data.run.learner_components.items()}
    points = memory_points(data.frame, kinds)
    if len(points):
        yield Picture(
            "memory_steps",
            "Memory against solver steps",
            "Memory of an update against the function evaluations of its forward pass, for each kind of learner that "
            "the run has at several numbers of steps: medians over seeds. What grows in proportion is parallel to the "
            "grey diagonal.",
            partial(memory_against_steps, points),
        )


def memory_points(frame: pd.DataFrame, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Where a run holds some kind of learner at several numbers of solver steps: its memory at each; else no rows.

    `kinds` are the classes of learners, by label. Rows have `system`, `kind`, `measure`, `steps` (function evaluations
    of a forward pass) and `bytes`, medians over seeds, in the order of the steps.
    """
    totals = summary(frame)
    wide = totals.pivot_table(index=["system", "learner"], columns="metric", values="median", sort=False)
    if STEPS not in wide or not wide[STEPS].gt(0).to_numpy().any():
        return pd.DataFrame(columns=["system", "kind", "measure", "steps", "bytes"])
    wide = wide[wide[STEPS] > 0].reset_index()
    wide = wide.assign(kind=[kinds[label] for label in column(wide, "learner")])
    steps = wide.groupby(["system", "kind"])[STEPS]
    count, least, most = (pd.Series(steps.transform(name)) for name in ("nunique", "min", "max"))
    wide = wide[(count >= FEWEST) & (most >= RANGE * least)]
    measured = [measure for measure in MEASURES if measure in wide]
    points = wide.melt(["system", "kind", STEPS], measured, "measure", "bytes").dropna(subset=["bytes"])
    return points.rename(columns={STEPS: "steps"}).sort_values("steps", kind="stable", ignore_index=True)
