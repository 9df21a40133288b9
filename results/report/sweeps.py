"""What a sweep shows: a score against the values of each field that was swept."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from results.figures.style import styles
from results.figures.sweep import sweep_figure
from results.formatting import heading, in_timescale, slug
from results.report.figure_data import FigureData, Picture
from results.statistics.trials import column, rows, summary
from results.store.manifest import LEADING_METRIC, Variant, leading_metric


def sweep_pictures(data: FigureData) -> Iterator[Picture]:
    """A figure for each field that was swept; none of any other run."""
    run = data.run
    if not run.variants:
        return
    metric = leading_metric(run.metrics)
    found = data.prediction_times if metric == LEADING_METRIC else rows(summary(data.frame), metric=metric)
    times = set(run.timescales.values())
    unit = str(rows(data.frame, metric=metric)["unit"].iloc[0])
    unit = in_timescale(unit, times.pop()) if len(times) == 1 else unit
    up = f"{heading(metric)}{f' ({unit})' if unit and unit != '1' else ''}"
    for axis in dict.fromkeys(name for one in run.variants.values() for name in one.at):
        scores = along(found.dropna(subset="median"), axis, run.variants)
        if not len(scores):
            continue
        references = {without(run.variants, learner, axis)[0] for learner in run.references}
        yield Picture(
            f"sweep-{slug(axis)}",
            f"Against {axis}",
            f"{heading(metric)} as {axis} changes: medians over seeds, with 95 % intervals where there are seeds "
            "enough for one. A level is a learner that has no such field.",
            partial(sweep_figure, scores, styles(list(dict.fromkeys(scores["learner"])), references), axis, up),
        )


def along(scores: pd.DataFrame, axis: str, variants: Mapping[str, Variant]) -> pd.DataFrame:
    """The scores with `at`, their value on an axis, and systems and learners named as if they had none there."""
    named = {
        name: [without(variants, str(one), axis) for one in column(scores, name)] for name in ("system", "learner")
    }
    places = [
        here if there is None else there
        for (_, here), (_, there) in zip(named["system"], named["learner"], strict=True)
    ]
    names = {name: [text for text, _ in found] for name, found in named.items()}
    return scores.assign(**names, at=pd.Series(places, index=scores.index, dtype=object))


def without(variants: Mapping[str, Variant], label: str, axis: str) -> tuple[str, Any]:
    """What a system or learner is called but for an axis, and its value there; None where it has none."""
    variant = variants.get(label)
    if variant is None or axis not in variant.at:
        return label, None
    others = [f"{name.partition('.')[2]}={value}" for name, value in variant.at.items() if name != axis]
    return ", ".join([variant.of, *others]), variant.at[axis]
