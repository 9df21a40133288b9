"""The tables of what learners have reached at equal cost: of updates, evaluations, seconds and parameters."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from results.formatting import counted, listed, plural, slug, status, three_digits
from results.statistics.pareto import CELL, at_equal, budgets, curves
from results.statistics.ranking import level_by_ranks, level_by_seeds
from results.statistics.saturation import saturation_note
from results.statistics.trials import column, endings, rows, summary
from results.store.manifest import CAPPED, LEADING_METRIC
from results.store.run import Run
from results.tables.table import Column, Table, table_of
from results.tables.tables import BOLD, BY_RANKS, told_by

EQUAL = {"update": "updates", "nfe": "NFE", "seconds": "time", "parameters": "parameters"}  # costs that may be
SPENT = {"update": "updates", "nfe": "NFE", "seconds": "s", "parameters": "parameters"}
DEARER, UNTOLD = "costs more", "not told"  # instead of a prediction time
CAPTION = (
    "Valid prediction time on validation trajectories, as they were observed, when all have spent on a system what the "
    "thriftiest learner spends there in all: that of the last stage (1/8, 1/4, 1/2 of the updates, and the end) that "
    f'cost no more; "{DEARER}" where even the first did. A fit that is not made of updates is one stage. At equal '
    "parameters: at the end, of learners with no more of them than the smallest members of all families need."
)

Views = Mapping[str, pd.DataFrame]  # trials in long form, by what is equal


def matched_tables(run: Run, frame: pd.DataFrame) -> tuple[Table, dict[str, Table]] | None:
    """The compute-matched views of a run, of all systems together and of each, from its cells and their long form.

    None where fewer than two of the compared learners have stages, or none is trained update by update.
    """
    spent = curves(run)
    told = set(column(spent.dropna(subset="valid_vpt"), "learner"))
    shown = [learner for learner in run.compared if learner in told]
    if len(shown) < 2 or column(spent, "valid_loss").isna().all():
        return None
    spent, frame = (each.loc[each["learner"].isin(shown)] for each in (spent, frame))
    limits = {by: budgets(spent, by) for by in EQUAL if column(spent, by).notna().any()}
    sampling, seeds = run.manifest["sampling"], len(run.manifest["seeds"])
    observed = (sampling.get("samples", np.inf) - sampling.get("context", 0)) * sampling.get("step", np.nan)
    longest = min(sampling.get("horizon", np.nan), observed)  # of a prediction on validation trajectories
    last = longest - 1.001 * sampling.get("step", np.nan)  # the horizon need not be a whole number of steps
    views = {by: _view(at_equal(spent, by, budget), frame, last) for by, budget in limits.items()}
    limit = f"None is longer than {three_digits(longest)} timescales, where forecasts end. " if longest > 0 else ""
    caption = f"{CAPTION} {limit}Medians over {counted(seeds, 'seed')}"
    by_system = {}
    for system, timescale in run.timescales.items():
        each = ", ".join(
            f"{three_digits(limits[by].get(system, np.nan), by != 'seconds')} {SPENT[by]}" for by in limits
        )
        said = f"{caption}. Equal are {each}. {BOLD} ({told_by(frame)})."
        here = {by: rows(view, system=system) for by, view in views.items()}
        level = {by: level_by_seeds(view, shown).get(LEADING_METRIC, set()) for by, view in here.items()}
        there = [learner for learner in shown if learner not in run.lacks.get(system, ())]
        name = f"matched-{slug(system)}"
        by_system[system] = _table(name, said, here, rows(frame, system=system), there, level, timescale)
    level = {by: level_by_ranks(view, LEADING_METRIC, shown) for by, view in views.items()}
    notes = {by: saturation_note(view, shown) for by, view in views.items()}
    said = f"{caption}, and over systems. {BOLD} ({BY_RANKS})."
    for note in filter(None, dict.fromkeys(notes.values())):
        said += f" At equal {listed([EQUAL[by] for by in notes if notes[by] == note])}: {note}"
    return _table("matched", said, views, frame, shown, level, "timescale"), by_system


def _view(reached: pd.DataFrame, frame: pd.DataFrame, last: float) -> pd.DataFrame:
    """Every trial of the run with what it has reached, or the reason why that is nothing for its status.

    And whether that is the end of the forecasts, which is longer than `last`.
    """
    trials = endings(frame)[[*CELL, "seed", "status"]]
    view = trials.merge(reached, "left", [*CELL, "seed"]).rename(columns={"vpt": "value"})
    why = np.where(column(view, "stages").fillna(0) > 0, DEARER, UNTOLD)
    missing = view["value"].isna() & (view["status"] == "ok")
    view = view.assign(metric=LEADING_METRIC, better="higher", status=column(view, "status").mask(missing, why))
    capped = view.assign(metric=CAPPED, value=(view["value"] > last).astype(float))
    return pd.concat([view, capped], ignore_index=True)


def _table(
    name: str,
    caption: str,
    views: Views,
    frame: pd.DataFrame,
    learners: list[str],
    level: Mapping[str, set[str]],
    timescale: str,
) -> Table:
    """Medians over seeds, and over systems where there are several, of which one without a value is the worst."""
    columns = []
    for by, view in views.items():
        totals = summary(rows(view, metric=LEADING_METRIC))
        median = column(totals, "median").fillna(-np.inf).groupby(totals["learner"]).median()
        reasons = totals.loc[totals["n"] == 0].groupby("learner")["status"].first().map(status)
        head, values = f"VPT at equal {EQUAL[by]}", median.where(np.isfinite(median))
        columns.append(Column(by, head, plural(timescale), "higher", values, reasons, level[by]))
    return table_of(name, caption, columns, frame, learners)
