"""The fitted parameters of known equations, beside the true ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from results.formatting import NOTHING, slug, three_digits
from results.statistics.trials import rows
from results.tables.table import Column, Table, table_of

FORM = "{:.5g}"  # of a parameter in print

Fits = Mapping[str, tuple[Sequence[str], np.ndarray]]


def parameter_table(system: str, fits: Fits, frame: pd.DataFrame) -> Table | None:
    """A column for each parameter, with its true value below its name; None where no learner has fitted any.

    Args:
        fits: for each learner the names of its parameters, and `[seed, parameter, (true, fitted, floor)]`.
        frame: the long form of the run.
    """
    found = {learner: fit for learner, fit in fits.items() if len(fit[1])}
    if not found:
        return None
    true: dict[str, float] = {}
    floors: dict[str, float] = {}
    values: dict[str, dict[str, float]] = {}
    for learner, (names, fitted) in found.items():
        for name, (truth, median, floor) in zip(names, np.median(fitted, axis=0), strict=True):
            true.setdefault(name, float(truth))
            values.setdefault(name, {})[learner] = float(median)
            if np.isfinite(floor) and floor > 0:
                floors[name] = min(floors.get(name, np.inf), float(floor))
    words = pd.Series(NOTHING, index=list(found))
    columns = [
        Column(name, name, f"truly {FORM.format(true[name])}", "", pd.Series(fitted), words, form=FORM)
        for name, fitted in values.items()
    ]
    least = ", ".join(f"{name} {three_digits(floor)}" for name, floor in floors.items())
    noise = f" No unbiased fit to such noisy data has a lower standard deviation than {least}." if least else ""
    caption = f"Fitted parameters of {system}, medians over seeds, beside the true ones.{noise}"
    return table_of(f"parameters-{slug(system)}", caption, columns, rows(frame, system=system), list(found))
