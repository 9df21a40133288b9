"""A user's own data, from the file to the report, where a channel comes to rest."""

from pathlib import Path

import numpy as np
import pytest

from results.store.run import Run
from tests.support.commands import exit_code

SUITE = """
from dataclasses import replace
from bench.suites.chaos import suite as chaos
from learners import DMD, Persistence
from systems import Recorded, Sampling

own = Sampling(context=8, horizon=2.0, climate_horizon=20.0, test=8)
systems = tuple(Recorded(name) for name in ("at_rest.csv", "no_input.csv", "offset.csv"))
suite = replace(chaos, name="own_data", systems=systems, learners=(DMD(), Persistence()), sampling=own, seeds=2)
"""


@pytest.mark.slow
def test_a_channel_at_rest_in_the_test_data_leaves_metrics_without_a_value_but_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    times = 0.1 * np.arange(2000)
    angle, speed = np.exp(-0.08 * times) * np.stack([np.cos(times), np.sin(times)])
    files = {
        "at_rest": {"angle": angle, "speed": speed},  # a damped pendulum, which three decimals bring to rest
        "no_input": {"input": (times < 50) * np.sin(times), "x": np.cos(times), "y": np.sin(times)},
        "offset": {"x": 1e6 + 1e-3 * np.cos(times)},
    }
    for name, channels in files.items():
        rows = np.column_stack([times, *channels.values()])
        formats = ["%.1f", *(["%.9f"] if name == "offset" else ["%.3f"]) * len(channels)]
        header = ",".join(["time", *channels])
        np.savetxt(tmp_path / f"{name}.csv", rows, formats, ",", header=header, comments="")
    (tmp_path / "own_data.py").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    assert exit_code(["run", "--suite", "own_data.py", "--budget", "quick", "-j", "1", "--quiet"]) == 0
    assert (tmp_path / "runs/own_data/report.html").exists()
    frame = Run.load(tmp_path / "runs/own_data").frame()
    values = {key: list(rows["value"]) for key, rows in frame.groupby(["metric", "system"])}
    for name in ("at_rest", "no_input"):
        reasons = list(frame.loc[frame["system"] == f"Recorded[path={name}.csv]", "reason"])
        assert all("the truth must move, but is 0.0 throughout in channel 0" in reason for reason in reasons)
        for metric in ("smape", "ctf_long", "d_stsp", "out_of_box", "d_h"):
            assert np.isnan(values[metric, f"Recorded[path={name}.csv]"]).all()
        assert np.isfinite(values["nrmse", f"Recorded[path={name}.csv]"]).all()
