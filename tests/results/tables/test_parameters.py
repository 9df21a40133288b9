"""Tables of fitted parameters: one column each, beside what is true."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from results.report.equations import parameter_tables, written_equations
from results.report.pictures import Omissions
from results.tables.formats import markdown
from results.tables.parameters import parameter_table

SIGMA = np.array([[[10.0, 10.01, 0.002]], [[10.0, 10.03, 0.002]], [[10.0, 10.0212345, 0.002]]])
BOTH = np.array([[[10.0, 9.5, np.nan], [28.0, 27.123456, np.nan]]])
FRAME = pd.DataFrame(
    [("Lorenz", learner, 0, "nrmse", 0.1, "ok") for learner in ("Mechanistic", "HybridODE")],
    columns=["system", "learner", "seed", "metric", "value", "status"],
)


def test_each_parameter_has_a_column_of_medians_with_its_true_value():
    table = parameter_table("Lorenz", {"Mechanistic": (["sigma"], SIGMA), "HybridODE": (["sigma", "rho"], BOTH)}, FRAME)
    assert table is not None
    assert table.heads[1:-1] == [("sigma", "truly 10"), ("rho", "truly 28")]
    assert table.printed.to_dict("list") == {"sigma": ["10.021", "9.5"], "rho": ["—", "27.123"]}
    assert list(table.printed.index) == ["Mechanistic", "HybridODE"]
    assert "lower standard deviation than sigma 0.00200." in table.caption
    assert "sigma (truly 10)" in markdown(table)


def test_without_fits_or_floors_nothing_is_said_of_them():
    assert parameter_table("Lorenz", {"Mechanistic": (["sigma"], SIGMA[:0])}, FRAME) is None
    table = parameter_table("Lorenz", {"HybridODE": (["sigma", "rho"], BOTH)}, FRAME)
    assert table is not None
    assert "deviation" not in table.caption


def test_a_run_has_tables_and_equations_of_the_systems_whose_cells_have_some():
    cells = {
        ("Lorenz", "Mechanistic"): {"parameter_names": np.array(["sigma"]), "fitted_parameters": SIGMA},
        ("Lorenz", "SINDy"): {"equations": np.array(["x1' = -10 x1", "x2' = 0"])},
        ("Rossler", "SINDy"): {},
    }
    data: Any = SimpleNamespace(
        run=SimpleNamespace(
            timescales={"Lorenz": "Lyapunov time", "Rossler": "Lyapunov time"},
            learners=["Mechanistic", "SINDy"],
            conditions="3 seeds.",
        ),
        cells=cells,
        frame=FRAME,
        of_seeds=lambda system, learner, name: cells[system, learner][name],
    )
    ((system, table),) = parameter_tables(data, Omissions())
    assert (system, table.name) == ("Lorenz", "parameters-Lorenz")
    assert table.printed.to_dict("list") == {"sigma": ["10.021"]}
    assert written_equations(data) == {"Lorenz": {"SINDy": ["x1' = -10 x1", "x2' = 0"]}}
