"""What an import finds: our packages before files of the same names, and users' files whose names Python cannot import.

A user's folder may hold a `metrics.py` or a `results/` of its own, and Python looks there first.
"""

import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = frozenset(("bench", "systems", "learners", "metrics", "results"))
STANDARD = Path(re.__file__).parents[1]  # the folder of the standard library
SUFFIX = "_py"  # of the names that are made of file names


class Finder(MetaPathFinder):
    """Finds our packages where this one lies, and users' files in `sys.path` by their names of `importable_name`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in PACKAGES:
            return PathFinder.find_spec(fullname, [str(ROOT)])
        if not fullname.endswith(SUFFIX) or PathFinder.find_spec(fullname, path):
            return None
        folders = (Path(folder) for folder in sys.path if not folder.endswith("-packages"))
        files = (file for folder in folders if folder != STANDARD for file in folder.glob("*.py"))
        found = next((file for file in files if importable_name(file) == fullname), None)
        return spec_from_file_location(fullname, found.resolve()) if found else None


def importable_name(path: Path) -> str:
    """A name for the module in a file of any name: characters that are no letter, digit or _ stand as their code."""
    return re.sub(r"\W", lambda found: f"_{ord(found[0]):x}_", path.stem) + SUFFIX


def install() -> None:
    """Let imports of this process, and of those that it starts, go by our finder.

    Raises ImportError, which names the file, where another module has the name of one of our packages already.
    """
    for name in PACKAGES & sys.modules.keys():
        found = PathFinder.find_spec(name, [str(ROOT)])
        file = getattr(sys.modules[name], "__file__", None)
        if found and (file is None or Path(file).resolve() != Path(str(found.origin)).resolve()):
            raise ImportError(
                f"{file or name} is imported under the name {name!r} of a package of dynamics-bench: "
                "rename it, or import bench before it"
            )
    if not any(type(finder).__qualname__ == Finder.__qualname__ for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
