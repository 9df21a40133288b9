"""The script of the GPU report: every step is told, whatever becomes of it, and all is in one folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "reports" / "gpu.sh"
NAMES = [
    *("versions", "tests", "chaos-times", "images-times", "smoke", "chaos", "mnist", "peers"),
    *("precisions", "field-times", "compiled-times"),
]


def report(folder: Path, **variables: str) -> dict[str, dict[str, Any]]:
    """The steps of a dry run on the CPU, by name."""
    given = {"DEVICE": "cpu", "DRY": "1", "PYTHON": sys.executable, "MNIST": str(folder / "nowhere")}
    subprocess.run(["bash", str(SCRIPT), str(folder)], check=True, env=os.environ | given | variables)
    return {row["step"]: row for row in json.loads((folder / "steps.json").read_text())}


@pytest.mark.slow
def test_a_report_goes_on_without_what_is_not_there_and_says_so(tmp_path: Path):
    steps = report(tmp_path, STEPS="versions mnist peers")
    assert list(steps) == ["versions", "mnist", "peers"]
    assert steps["versions"]["fate"] == "done"
    assert json.loads((tmp_path / "versions.log").read_text())["device"] == {"name": "cpu"}
    assert "left out: the files of MNIST are not in" in steps["mnist"]["fate"]
    assert f"| mnist | {steps['mnist']['seconds']} | left out" in (tmp_path / "README.md").read_text()


def test_a_step_for_which_no_time_is_left_is_not_begun(tmp_path: Path):
    assert report(tmp_path, STEPS="smoke", TOTAL="0")["smoke"]["fate"] == "not done in 0 s"


@pytest.mark.slow
def test_a_whole_report_is_made_in_little(tmp_path: Path):
    steps = report(tmp_path)
    assert list(steps) == NAMES
    done = {name for name, row in steps.items() if row["fate"] == "done"}
    assert {*NAMES} - {"mnist", "peers", "compiled-times", "precisions"} <= done  # a compiler may be missing
    page = (tmp_path / "README.md").read_text()
    assert "An update, and the classes of 360 images" in page
    assert (tmp_path / "chaos-times/timing/chaos-cpu/update_times.svg").exists()
    assert (tmp_path / "smoke/smoke/report.html").exists()
