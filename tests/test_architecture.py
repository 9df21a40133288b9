"""The floors of the house: who may import whom, and what stays light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.commands import loaded_by
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
HEAVY = {"torch", "pandas", "numpy", "numba", "scipy", "matplotlib", "seaborn"}


# The rooms of each package, folders and modules at its door, from the top floor down: none imports from one before it.
# A module that is not named is on the top floor: it may import all, and none of these imports it.
ROOMS = {
    "bench": "templates __main__ cli explained commands published running interface exports doctor tuning timing "
    "display runs planning suites equal_time suite runner cells request catalogue machine errors importing",
    "systems": "certificates ground_truth lyapunov tangents sampling observation flows maps recordings calibration "
    "images stochastic hybrid base protocol published trajectories solvers configuration html extras",
    "learners": "references analogue independent_truth delayed fewer_trajectories adaptive equations neural_dde "
    "neural_ode neural_sde ode_layer resnet transformer windowed_rnn teacher_forcing latent linear images drawn_paths "
    "solvers training networks validation_forecasts validation replicas streams base forecast_checks",
    "metrics": "",
    "results": "report timing gate claims figures tables statistics store formatting processes",
}
LONGEST = 300  # lines of a file


def name_of(module: Path) -> str:
    """The dotted name of a module, from the path of its file below the root."""
    return ".".join(module.with_suffix("").parts).removesuffix(".__init__")


NAMES = {name_of(module) for module in MODULES}


def imported_modules(module: Path) -> Iterator[str]:
    """The modules of ours that a module imports anywhere in it, for type checkers too."""
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.ImportFrom) and node.module in NAMES:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in NAMES else node.module for name in inner)


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


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_no_room_imports_from_a_room_above_it(package):
    floors = {room: floor for floor, room in enumerate(ROOMS[package].split())}
    upwards = []
    for module in MODULES:
        if module.parts[0] != package or module.name == "__init__.py":
            continue
        for name in imported_modules(module):
            if name.startswith(f"{package}.") and floors:
                here, there = (text.split(".")[1] for text in (name_of(module), name))
                if floors.get(there, -1) < floors.get(here, -1):
                    upwards.append(f"{name_of(module)} -> {name}")
    assert not upwards


def test_no_files_import_each_other_in_a_circle():
    graph = {name_of(module): set(imported_modules(module)) for module in MODULES if module.name != "__init__.py"}
    doors = {name_of(module) for module in MODULES if module.name == "__init__.py"}
    try:
        TopologicalSorter({name: found - doors - {name} for name, found in graph.items()}).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_file_is_longer_than_can_be_read():
    lengths = {str(module): len((ROOT / module).read_text().splitlines()) for module in MODULES}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST}


def test_no_test_module_imports_another():
    tests = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    assert not {
        name
        for name, text in tests.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2].startswith("test_")
    }


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_are_absolute_and_modules_say_what_they_are(module):
    assert not [name for name in imports(module) if name.startswith(".")]
    docstring = ast.get_docstring(ast.parse((ROOT / module).read_text()))
    assert docstring, f"{module} needs a docstring of one line"


def test_commands_do_not_import_each_other():
    commands = [module for module in MODULES if module.parts[:2] == ("bench", "commands")]
    for module in commands:
        assert not [name for name in imported_modules(module) if name.startswith("bench.commands.")], module


def test_numba_is_imported_only_where_compiled_code_is_wanted():
    """It takes half a second, and what is still to be compiled takes seconds."""
    names = "arithmetic", "attempts", "bases", "blocks", "forecasts", "gates", "kernel", "piecewise_linear", "windows"
    compiled = {"learners.linear.polynomial_kernel", *(f"learners.solvers.{name}" for name in names)}
    compiled |= {
        f"systems.solvers.{name}"
        for name in ("compiling", "dop853_kernel", "etdrk4_kernel", "fixed_kernel", "program_kernel")
    }
    for module in MODULES:
        if module.parts[0] in ("learners", "systems") and name_of(module) not in compiled:
            for node in ast.parse((ROOT / module).read_text()).body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    origin = getattr(node, "module", "")
                    found = {origin, *(alias.name for alias in node.names)}
                    found |= {f"{origin}.{alias.name}" for alias in node.names}
                    assert not found & {*compiled, "numba"}, module


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_export_names_and_do_nothing_else(package):
    for node in ast.parse((ROOT / package / "__init__.py").read_text()).body:
        name = getattr(node, "name", "") or ast.unparse(getattr(node, "test", node))
        late = package == "bench" and name in ("TYPE_CHECKING", "__getattr__")
        assert late or isinstance(node, (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign))


def test_every_exported_name_exists_and_is_sorted():
    for package in ("bench", "systems", "learners", "metrics", "results"):
        module = __import__(package)
        assert all(hasattr(module, name) for name in module.__all__)
        assert len(set(module.__all__)) == len(module.__all__)


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


@pytest.mark.slow
def test_learners_metrics_and_timings_need_no_package_that_only_reports_need():
    absent = ("beartype", "jinja2", "matplotlib", "pydantic", "safetensors", "scikit_posthocs", "seaborn", "sklearn")
    wanted = "learners, metrics, bench.cells.forecasting, bench.cells.run, bench.timing.timing, results.timing.report"
    code = f"import sys; sys.modules |= dict.fromkeys({absent}); import {wanted}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.slow
def test_a_report_is_made_without_torch(tmp_path):
    size = Size(step=0.1, horizon=2.0, test=2, climate_samples=200, points=2, seeds=(0,))
    build(tmp_path, systems=("Lorenz",), learners=("ResNet", "Persistence"), size=size, suite="small")
    code, packages = loaded_by("report", "small", "--out", str(tmp_path))
    assert code == 0
    assert (tmp_path / "small" / "report.html").exists()
    assert "torch" not in packages
