"""Cell keys: what changes them, and what does not."""

import ast
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from bench.catalogue import sources
from bench.catalogue.sources import code_hash
from bench.cells.cell import Cell
from bench.cells.digest import checksum, code
from bench.cells.key import digest, key
from bench.runner.processes import PRELOADED
from learners import Budget
from metrics import Evidence, Metric
from systems import LinearSpiral, Lorenz, Rossler
from tests.support import stubs

ROOT = Path(__file__).parents[3]
CELL = stubs.cell(stubs.Instant())


def test_a_key_is_a_long_hexadecimal_name_that_equal_cells_share():
    name = key(CELL)
    assert len(name) >= 20
    assert set(name) <= set("0123456789abcdef")
    assert key(stubs.cell(stubs.Instant())) == name


def test_equal_numbers_of_different_types_give_the_same_key():
    assert key(replace(CELL, system=Lorenz(rho=28))) == key(replace(CELL, system=Lorenz(rho=28.0)))  # type: ignore[arg-type]
    assert checksum({"a": [1, 2.5, True]}) != checksum({"a": [1, 2.25, True]})


@pytest.mark.parametrize(
    "change",
    [
        {"system": LinearSpiral(damping=0.2)},
        {"learner": stubs.Instant(width=9)},
        {"sampling": replace(stubs.TINY, noise=0.1)},
        {"metrics": stubs.METRICS[1:]},
        {"metrics": stubs.METRICS[::-1]},
        {"budget": Budget(0.5)},
        {"seeds": (0, 2)},
        {"data_seed": 1},
        {"device": "cuda"},
    ],
    ids=lambda change: " ".join(change),
)
def test_every_part_of_the_configuration_changes_the_key(change: dict[str, Any]):
    assert key(replace(CELL, **change)) != key(CELL)


def test_the_number_of_the_gpu_does_not_change_the_key():
    assert key(replace(CELL, device="cuda:0")) == key(replace(CELL, device="cuda:1"))


def threshold(evidence: Evidence, at: float = 0.5, above: bool = True) -> float:
    return at


def test_arguments_that_a_partial_application_fixes_change_the_key():
    def keyed(measure: Callable[[Evidence], float]) -> str:
        return key(replace(CELL, metrics=(Metric("above", "", "lower", measure),)))

    measures = [threshold, partial(threshold, at=0.5), partial(threshold, at=0.6), partial(threshold, above=False)]
    assert len({keyed(measure) for measure in measures}) == 4


def test_a_configuration_that_is_not_plain_has_no_key_and_the_error_says_so():
    with pytest.raises(TypeError, match=r"no key can be made of \{1\} of type set"):
        key(replace(CELL, learner=stubs.Instant(width={1})))  # type: ignore[arg-type]


def test_a_digest_names_the_modules_that_a_cell_uses_and_no_others():
    modules = set(digest(replace(CELL, system=Lorenz())))
    used = {
        "systems.flows.lorenz",
        "systems.base",
        "systems.sampling",
        "learners.base",
        "tests.support.stubs",
        "metrics.dimension",
    }
    assert used | {"bench.cells.cell", "bench.cells.trial", "bench.cells.data"} <= modules
    assert not modules & {
        "systems.flows.rossler",
        "systems",
        "learners",
        "bench.runner.run",
        "bench.machine.environment",
        "bench.cells.digest",
    }


def test_the_code_of_a_nested_configuration_counts():
    assert "systems.flows.rossler" in digest(replace(CELL, learner=stubs.Knowing(Rossler())))


def test_sixty_keys_parse_no_file_twice(monkeypatch: pytest.MonkeyPatch):
    cells = [replace(CELL, data_seed=seed) for seed in range(60)]
    parsed = []
    parse = sources.ast.parse
    monkeypatch.setattr(sources.ast, "parse", lambda text, path: parsed.append(path) or parse(text, path))
    sources._parse.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert len({key(cell) for cell in cells}) == 60
    assert len(parsed) == len(set(parsed)) > 10


LEARNER = """
    from dataclasses import dataclass
    from typing import TYPE_CHECKING

    from learners import Learner
    {imports}

    @dataclass(frozen=True)
    class {name}(Learner):
        '''{docstring}'''

        def fit_replicas(self, dataset, budget, seeds):
            return {result}  # {comment}
    """
PLAIN = {"name": "Mine", "docstring": "A learner.", "imports": "", "result": "[]", "comment": "nothing"}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Write a user's file, as he would: each time with a new time of modification."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before, clock = set(sys.modules), iter(range(1, 100))

    def write_file(file: str, text: str = LEARNER, **parts: str) -> None:
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).format(**PLAIN | parts))
        now = next(clock)
        os.utime(path, (now, now))

    yield write_file
    for name in set(sys.modules) - before:
        del sys.modules[name]


def cell_of(module: str, name: str = "Mine") -> Cell:
    return replace(CELL, learner=getattr(importlib.import_module(module), name)())


def test_a_changed_learner_changes_its_own_cells_only(write: Callable[..., None]):
    write("mine.py")
    write("other.py", name="Other")
    mine, other = cell_of("mine"), cell_of("other", "Other")
    before = key(mine), key(other)
    write("mine.py", result="[None]")
    assert key(mine) != before[0]
    assert key(other) == before[1]


def test_comments_docstrings_and_layout_do_not_count(write: Callable[..., None]):
    write("mine.py")
    mine = cell_of("mine")
    before = key(mine)
    write("mine.py", docstring="Another text.", comment="something else\n\n")
    assert key(mine) == before


@pytest.mark.parametrize("imports", ["from layers import depth", "import layers", "from layers import *"])
def test_a_changed_file_beside_the_users_own_changes_the_key(write: Callable[..., None], imports: str):
    write("layers.py", "depth = 1")
    write("mine.py", imports=imports)
    mine = cell_of("mine")
    before = key(mine)
    write("layers.py", "depth = 2")
    assert key(mine) != before


def test_imports_for_the_type_checker_only_do_not_count(write: Callable[..., None]):
    write("layers.py", "depth = 1")
    write("mine.py", imports="if TYPE_CHECKING:\n        import layers")
    assert "layers" not in digest(cell_of("mine"))


@pytest.mark.parametrize("imports", ["from .layers import depth", "from . import layers", "from plugin import depth"])
def test_a_users_package_is_followed_to_the_module_that_defines_a_name(write: Callable[..., None], imports: str):
    write("plugin/__init__.py", "from .layers import depth\nfrom .unused import width")
    write("plugin/layers.py", "depth = 1")
    write("plugin/unused.py", "width = 1")
    write("plugin/mine.py", imports=imports)
    assert {"plugin.mine", "plugin.layers"} <= set(digest(cell_of("plugin.mine")))
    assert "plugin.unused" not in digest(cell_of("plugin.mine"))


def test_installed_packages_are_not_followed():
    installed = {name.partition(".")[0] for name in code(["torchdiffeq", "tests.support.stubs"])}
    assert installed == {"torchdiffeq", "tests", "bench", "systems", "learners", "metrics", "results"}


def test_modules_without_a_file_are_left_out():
    assert code(["builtins", "no_such_module"]) == {}


def test_the_fork_server_holds_on_to_the_sources_that_it_has_imported(monkeypatch: pytest.MonkeyPatch):
    before = digest(replace(CELL, system=Lorenz()))
    monkeypatch.setattr(sources, "_frozen", {})
    monkeypatch.setattr(sources, "_frozen_imports", {})
    monkeypatch.delitem(sys.modules, "bench.runner.preload", raising=False)
    for name in PRELOADED[1:]:  # but that which makes the process deaf to signals
        importlib.import_module(name)
    frozen = sources._frozen
    assert {name for name in before if not name.startswith("tests")} <= {module.name for module in frozen}
    monkeypatch.setattr(sources, "_parse", None)
    assert code(["systems.flows.lorenz"]) == {name: before[name] for name in code(["systems.flows.lorenz"])}
    sources.thaw()
    with pytest.raises(TypeError, match="not callable"):
        code(["systems.flows.lorenz"])


SOURCE = '''
"""A module with much of the grammar."""
from __future__ import annotations
import numpy as np

LIMIT: float = 1_000.0  # type: ignore
NAMES = (1, 1.0, True, None, ..., 2j, "é\\ufffe", b"\\xff", u"text", "", [], {}, {**{}, "a": 1}, -0.0, 10**30)

@dataclass(frozen=True)
class Thing(Base, metaclass=Meta):
    """A docstring."""
    width: int = 3

    async def run(self, /, x, *args: int, y=2, z, **more) -> None:
        """Another."""
        async with self as one, self:
            return [await i async for i in x if i]

def empty():
    """Only this."""

def shown(x, w):
    def inner(): # type: () -> int
        global LIMIT
        yield from (lambda a, *b, c=1, **d: a if b else c)(x)
    return f"{x}{x!r:>{w}} {x = } {{}} {x:{{}}} {w:a{w}b}" "tail" f"" if x is not None else rf"\\d{x:%H}"

def sort_out(value):
    match value:
        case {"a": 1, **rest} | [1, *rest] if rest: pass
        case Point(x=0) | None | "text" | -1: ...
        case (1 | 2) as number: del number
        case _: assert (y := value) > 0, "no"
    try:
        raise ValueError from None
    except* (OSError, TypeError) as error: print(*error.exceptions, sep="")
    finally:
        for i, (j, *k) in value[1:2, ::3].items(): continue
        else: value @= not i
    while 0 < x <= 1 or x in y and x not in z: break
'''
DIGEST = "a0ba2f314f10"
HASH = """
import ast, importlib.util, sys
spec = importlib.util.spec_from_file_location("sources", "bench/catalogue/sources.py")
sys.modules["sources"] = sources = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sources)
print(sources.code_hash(ast.parse(sys.stdin.read())))
"""
PYTHONS = [sys.executable, *sorted(map(str, Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python")))]


@pytest.mark.parametrize("python", PYTHONS)
def test_the_same_source_has_the_same_hash_in_all_versions_of_python(python: str):
    done = subprocess.run([python, "-c", HASH], input=SOURCE, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == DIGEST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1.0"), ("x = 1", "x = True"), ("x = 'a'", "x = b'a'"), ("x = f'{y}'", "x = f'{y!s}'"),
        ("x = f'{y:1}'", "x = f'{y:2}'"), ("x = f('')", "x = f()"), ("x = {**y}", "x = {None: y}"),
        ("def f(x, /): ...", "def f(x): ..."), ("def f(*, x, y=1): ...", "def f(*, x=1, y): ..."),
        ("x = None", "x"), ("x: int", "x: int = None"), ("return", "return None"),
        ("from . import x", "from .. import x"), ("x = 0.0", "x = -0.0"),
    ],
)  # fmt: skip
def test_different_code_has_different_hashes(one: str, other: str):
    assert code_hash(ast.parse(one)) != code_hash(ast.parse(other))
