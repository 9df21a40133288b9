"""The pictures of a run of classifiers: their data are gathered from the store, drawn, and told in a caption."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from results.figures import depth as depth_figures
from results.formatting import heading, three_digits
from results.report.gallery import Gallery, Picture
from results.statistics.intervals import median_interval
from results.statistics.trials import column, rows

PICTURES = (
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


def depth_pictures(gallery: Gallery) -> Iterator[Picture]:
    """The figures of continuous depth of a run that has swept tolerances; none of any other run."""
    sweep = depth_sweep(gallery)
    if not len(sweep):
        return
    for name, title, caption, relation in PICTURES:
        yield Picture(name, title, caption, depth_figures.sweep_figure(sweep, gallery.styles, relation))
    yield Picture(
        "depth_training",
        "Evaluations while training",
        "Forward evaluations of one update as training goes on: median over seeds, between the fewest and the most.",
        depth_figures.evaluations_in_training(_curves(gallery, set(sweep["learner"])), gallery.styles),
    )


def depth_sweep(gallery: Gallery) -> pd.DataFrame:
    """A row for each system, learner, seed and tolerance that was swept; empty where none was."""
    run, found = gallery.run, []
    for cell in run.finished:
        arrays = gallery.arrays(cell.system, cell.learner)
        columns = {name.removeprefix("sweep_"): values for name, values in arrays.items() if name.startswith("sweep_")}
        for place, record in enumerate(run.store.records(cell.key) if columns else ()):
            here = pd.DataFrame({name: values[place] for name, values in columns.items()})
            found.append(here.assign(system=cell.system, learner=cell.learner, seed=record.seed))
    sweep = pd.concat(found, ignore_index=True).dropna() if found else pd.DataFrame()
    if len(sweep):
        sweep = sweep.assign(milliseconds=1e3 * sweep["forward_seconds"], mebibytes=sweep["saved_bytes"] / 2**20)
    return sweep


def standing(frame: pd.DataFrame, compared: list[str], metric: str) -> list[str]:
    """Who is best by a metric on each system, in a sentence each, with the interval over seeds."""
    chosen, sentences = rows(frame, metric=metric), []
    for system in dict.fromkeys(chosen["system"]):
        here = rows(chosen, system=system)
        here = here.loc[[learner in compared for learner in here["learner"]]].dropna(subset="value")
        if not len(here):
            continue
        sign = -1.0 if here["better"].iloc[0] == "higher" else 1.0
        medians = column(here, "value").groupby(here["learner"], sort=False).median()
        best, unit = str((sign * medians).idxmin()), str(here["unit"].iloc[0])
        low, high = median_interval(column(rows(here, learner=best), "value").to_numpy())
        ends = f" [{three_digits(float(low))}, {three_digits(float(high))}]" if np.isfinite(low) else ""
        word = "lowest" if sign > 0 else "highest"
        found = three_digits(float(medians.to_dict()[best]))
        sentences.append(f"{best} has the {word} {heading(metric)} on {system}: {found} {unit}{ends}.")
    return sentences or [f"No learner has a {heading(metric)} yet."]


def _curves(gallery: Gallery, learners: set[str]) -> pd.DataFrame:
    curves = gallery.run.curves()
    return curves.loc[curves["learner"].isin(list(learners))]
