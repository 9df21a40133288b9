"""Where runs lie."""

from collections.abc import Sequence
from pathlib import Path

from bench.errors import UserError, unknown


def find_runs(names: Sequence[str], out: Path) -> list[Path]:
    """The folders of runs, given as such or by the name of their suite; all those in `out` if none is named."""
    there = sorted(path.parent for path in out.glob("*/manifest.json"))
    if not there and not names:
        raise UserError(f"there is no run in {out}: `python -m bench run --suite NAME` makes one")
    return [_run_folder(name, out, there) for name in names] or there


def _run_folder(name: str, out: Path, there: Sequence[Path]) -> Path:
    for folder in (out / name, Path(name)):
        if (folder / "manifest.json").exists():
            return folder
    raise unknown(
        "run", name, [folder.name for folder in there], "or the path of a folder with a manifest.json; see --out"
    )
