"""The reference: every public name is on the page, and says what it is."""

import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from metrics import Metric

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference.md").read_text()
PACKAGES = ("bench", "systems", "learners", "metrics", "results")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_documented(package: str):
    """By its docstring, by its line in the table of all metrics, or by a word on the page."""
    assert f"::: {package}\n" in PAGE
    metrics_table = (ROOT / "docs" / "tutorials" / "metrics.md").read_text().split("## All metrics")[1]
    module, undocumented = import_module(package), []
    for name in module.__all__:
        value = inspect.unwrap(getattr(module, name))
        if isinstance(value, Metric):
            said = value.about and re.search(rf"^\| {value.name} +\|", metrics_table, re.MULTILINE)
        elif isinstance(value, type) or inspect.isfunction(value):
            said = vars(value).get("__doc__") if isinstance(value, type) else value.__doc__
            said = said and not said.startswith(f"{name}(")  # which is what dataclasses write of themselves
        else:
            said = f"`{name}`" in PAGE
        if not said:
            undocumented.append(name)
    assert not undocumented


@pytest.mark.slow
def test_every_documented_name_has_a_place_on_the_page_that_is_built(tmp_path: Path):
    pytest.importorskip("mkdocstrings")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    places = set(re.findall(r'id="([\w.]+)"', (tmp_path / "reference" / "index.html").read_text()))
    for package in PACKAGES:
        module = import_module(package)
        named = [name for name in module.__all__ if isinstance(getattr(module, name), type)]
        assert {f"{package}.{name}" for name in named} <= places
