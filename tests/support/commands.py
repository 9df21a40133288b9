"""Commands of ours in a process of their own, and what they have imported."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.cli import main

ROOT = Path(__file__).parents[2]


def exit_code(arguments: Sequence[str]) -> int:
    """Run a command of ours in this process, and return its exit code."""
    try:
        main(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command of ours, and all packages that it has imported."""
    driver = (
        "import sys\n"
        "from bench.cli import main\n"
        "code = 0\ntry:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    code = end.code\n"
        "print(code, *{name.partition('.')[0] for name in sys.modules}, file=sys.__stderr__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", driver, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    code, *packages = done.stderr.splitlines()[-1].split()
    return int(code), set(packages)
