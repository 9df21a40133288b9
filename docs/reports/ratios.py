"""The history of the ratios that `tests/performance` keeps: `python docs/reports/ratios.py .benchmarks`.

Writes `ratios.md` into the folder: a line for each test and what it noted, a column for each run, the latest first.
"""

import json
import sys
from pathlib import Path

RUNS = 10  # that are shown, at the most


def history(folder: Path) -> str:
    """The table in Markdown, of all that pytest-benchmark has stored below the folder; '' where there is nothing."""
    runs = sorted((json.loads(path.read_text()) for path in folder.rglob("*.json")), key=lambda run: run["datetime"])
    shown = runs[: -RUNS - 1 : -1]
    noted = [
        {
            (one["name"], name): value
            for one in run["benchmarks"]
            for name, value in one.get("extra_info", {}).items()
            if isinstance(value, (int, float))
        }
        for run in shown
    ]
    heads = [f"{run['commit_info']['id'][:7]}, {run['datetime'][:10]}" for run in shown]
    lines = [["test", "", *heads], [":--", ":--", *["--:"] * len(shown)]]
    lines += [
        [*place, *(f"{run[place]:.3g}" if place in run else "" for run in noted)]
        for place in dict.fromkeys(place for run in noted for place in run)
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines) if shown else ""


if __name__ == "__main__":
    kept = Path(sys.argv[1])
    page = history(kept)
    if not page:
        sys.exit(f"{kept} holds no runs: pytest tests/performance --benchmark-autosave writes them")
    (kept / "ratios.md").write_text(f"# Speed, as ratios to plain baselines\n\n{page}")
    sys.stdout.write(f"{kept / 'ratios.md'}\n")
