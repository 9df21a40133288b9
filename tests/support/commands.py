"""Commands of ours in a process of their own, and what they have imported."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def loaded_by(*arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command of ours, and all packages that it has imported."""
    driver = (
        "import sys\n"
        "from bench.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    code = end.code\n"
        "print(code, *{name.partition('.')[0] for name in sys.modules}, file=sys.__stderr__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", driver, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    code, *packages = done.stderr.splitlines()[-1].split()
    return int(code), set(packages)
