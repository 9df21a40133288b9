"""The history of ratios is read from what pytest-benchmark stores."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "reports" / "ratios.py"
MEASURED = """
def test_speed(benchmark):
    benchmark.extra_info["ratio"] = 2.5
    benchmark.extra_info["of what"] = "a loop"
    benchmark.pedantic(lambda: None)
"""


def test_ratios_of_stored_runs_stand_side_by_side(tmp_path: Path):
    (tmp_path / "test_speed.py").write_text(MEASURED)
    store = tmp_path / "kept"
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}  # workers keep none
    options = ["-q", "-c", "/dev/null", "--rootdir", str(tmp_path), "--benchmark-autosave"]
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, "--benchmark-storage", f"file://{store}", "test_speed.py"],
            cwd=tmp_path,
            env=alone,
            check=True,
            capture_output=True,
        )
    subprocess.run([sys.executable, str(SCRIPT), str(store)], check=True)
    page = (store / "ratios.md").read_text()
    assert "| test_speed | ratio | 2.5 | 2.5 |" in page
    assert "of what" not in page


def test_a_folder_without_runs_is_told(tmp_path: Path):
    done = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "holds no runs" in done.stderr
