"""What `python -m bench` alone says below its help: where to begin, and which runs there are."""

import json
from pathlib import Path

from bench.request import RUNS

COMMANDS = {
    "python -m bench run --suite smoke": "everything, small, in a minute",
    "python -m bench try my.csv": "learners on a recording of yours",
    "python -m bench run --suite chaos": "the comparison, in some ten minutes",
}


def welcome(folder: Path = RUNS) -> str:
    """A few lines for who gave no command."""
    width = max(map(len, COMMANDS))
    lines = ["Where to begin:", *(f"  {command:{width}}  {about}" for command, about in COMMANDS.items())]
    if runs := list(_runs(folder)):
        lines += ["", f"Runs in {folder}/ (python -m bench status):", *(f"  {line}" for line in runs)]
    return "\n".join(lines)


def _runs(folder: Path) -> list[str]:
    """Each run: how many of its cells are there, and where its report lies."""
    found = []
    for path in sorted(folder.glob("*/manifest.json")):
        try:
            cells = json.loads(path.read_text())["cells"]
            done = sum((folder / "cells" / cell["key"]).is_dir() for cell in cells)
        except (OSError, ValueError, KeyError, TypeError):
            found.append(f"{path.parent.name}  cannot be read")
            continue
        report = path.with_name("report.html")
        found.append(f"{path.parent.name}  {done} of {len(cells)} cells" + (f"  {report}" if report.exists() else ""))
    return found
