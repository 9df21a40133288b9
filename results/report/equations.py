"""What a report says of equations: their fitted parameters, and those that were found."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from results.report.figure_data import FigureData
from results.report.pictures import Omissions
from results.tables.parameters import parameter_table
from results.tables.table import Table


def parameter_tables(data: FigureData, omitted: Omissions) -> Iterator[tuple[str, Table]]:
    """Each system of which parameters were fitted, with their table."""
    for system in data.run.timescales:
        with omitted.instead_of(f"the table of parameters of {system}"):
            fits = {
                learner: (
                    [str(name) for name in data.cells[system, learner]["parameter_names"]],
                    data.of_seeds(system, learner, "fitted_parameters"),
                )
                for learner in data.run.learners
                if "parameter_names" in data.cells.get((system, learner), {})
            }
            if (table := parameter_table(system, fits, data.frame)) is not None:
                yield system, replace(table, caption=f"{table.caption} {data.run.conditions}")


def written_equations(data: FigureData) -> dict[str, dict[str, list[str]]]:
    """The equations that learners have found, by system and learner, one for each channel."""
    found: dict[str, dict[str, list[str]]] = {}
    for (system, learner), arrays in data.cells.items():
        for equation in np.ravel(arrays.get("equations", ())):
            found.setdefault(system, {}).setdefault(learner, []).append(str(equation))
    return found
