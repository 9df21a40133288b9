"""The figures of continuous depth of a run of classifiers."""

from collections.abc import Iterator

import pandas as pd

from results.figures import depth as depth_figures
from results.report.figure_data import FigureData, Picture

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
        "Time of the block's forward pass on one batch of test images, at the same tolerances.",
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
        yield Picture(name, title, caption, depth_figures.sweep_figure(sweep, data.styles, relation))
    curves = data.run.curves()
    curves = curves.loc[curves["learner"].isin(sweep["learner"])]
    yield Picture(
        "depth_training",
        "Evaluations while training",
        "Forward evaluations of one update as training goes on: median over seeds, between the fewest and the most.",
        depth_figures.evaluations_in_training(curves, data.styles),
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
