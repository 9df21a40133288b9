"""Errors name the page of the documentation that explains them."""

import re
from pathlib import Path

import pytest

from bench.explained import PAGES
from tests.support.commands import exit_code

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", sorted(set(PAGES.values())))
def test_every_page_is_there_and_has_the_heading(page: str):
    name, _, heading = page.partition("#")
    found = re.findall(r"^#+ (.*)$", (DOCS / name).read_text("utf-8"), flags=re.MULTILINE)
    assert not heading or heading in [each.lower().replace(" ", "-") for each in found]


@pytest.mark.parametrize(
    ("words", "page"),
    [
        (["run", "--suite", "chaos", "-s", "Recorded[path={folder}/words.csv]"], "own.md#data"),
        (["try", "{folder}/words.csv"], "own.md#data"),
        (["check", "nowhere", "--out", "{folder}"], "gate.md"),
        (["merge", "{folder}/none", "--out", "{folder}"], "cluster.md"),
        (["new", "planet", "Mine"], "own.md"),
    ],
)
def test_an_error_ends_with_its_page_on_the_same_line(
    words: list[str], page: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "words.csv").write_text("time,x\n0,one\n1,two\n", encoding="utf-8")
    assert exit_code([word.format(folder=tmp_path) for word in words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"(see docs/{page})")


def test_what_a_command_says_by_itself_has_no_page(capsys: pytest.CaptureFixture[str]):
    assert exit_code(["run", "--suite", "spat"]) == 2
    assert "see docs" not in capsys.readouterr().err
