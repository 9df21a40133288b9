"""The floors of the house: who may import whom, and what stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthetic import Size, build

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "systems": {"systems"},
    "results": {"results"},
    "learners": {"learners", "systems"},
    "metrics": {"metrics", "systems"},
    "bench": {"bench", "learners", "metrics", "results", "systems"},
}
FORBIDDEN = {"results": {"torch", "torchdiffeq", "torchvision"}, "systems": {"pandas", "seaborn"}}
MODULES = [path.relative_to(ROOT) for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))]
HEAVY = {"torch", "pandas", "numpy", "scipy", "matplotlib", "seaborn"}


def imports(module: Path) -> set[str]:
    """The names of all packages that a module imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_from_its_own_floor_and_below_only(module):
    package = module.parts[0]
    assert imports(module) & MAY_IMPORT.keys() <= MAY_IMPORT[package]
    assert not imports(module) & FORBIDDEN.get(package, set())


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_are_absolute_and_modules_say_what_they_are(module):
    assert not [name for name in imports(module) if name.startswith(".")]
    docstring = ast.get_docstring(ast.parse((ROOT / module).read_text()))
    assert docstring, f"{module} needs a docstring of one line"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_export_names_and_do_nothing_else(package):
    for node in ast.parse((ROOT / package / "__init__.py").read_text()).body:
        assert isinstance(node, (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign))


def test_every_exported_name_exists_and_is_sorted():
    for package in ("systems", "learners", "metrics", "results"):
        module = __import__(package)
        assert all(hasattr(module, name) for name in module.__all__)
        assert len(set(module.__all__)) == len(module.__all__)


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


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["list"],
        ["list", "learners", "WindowedRNN"],
        ["list", "suites", "chaos"],
    ],
    ids=" ".join,
)
def test_help_and_lists_import_nothing_heavy(arguments):
    code, packages = loaded_by(*arguments)
    assert code == 0
    assert not packages & HEAVY


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--suite", "no_such_suite"],
        ["run", "--suite", "smoke", "-s", "NoSuchSystem"],
        ["plan", "--suite", "smoke", "-l", "NoSuchLearner[width=3]"],
        ["run", "--suite", "smoke", "--seeds", "0"],
    ],
    ids=" ".join,
)
def test_mistakes_in_names_are_told_before_torch_is_imported(arguments):
    code, packages = loaded_by(*arguments)
    assert code == 2
    assert "torch" not in packages


def test_a_report_is_made_without_torch(tmp_path):
    size = Size(step=0.1, horizon=2.0, test=2, climate_samples=200, points=2, seeds=(0,))
    build(tmp_path, systems=("Lorenz",), learners=("ResNet", "Persistence"), size=size, suite="small")
    code, packages = loaded_by("report", "small", "--out", str(tmp_path))
    assert code == 0
    assert (tmp_path / "small" / "report.html").exists()
    assert "torch" not in packages
