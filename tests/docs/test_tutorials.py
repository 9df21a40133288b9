"""The tutorials: each runs from its first cell to its last, and its page is that of its script."""

import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from bench.catalogue.plugins import import_file

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "tutorials"
SCRIPTS = sorted(FOLDER.glob("*.py"))
tutorials = import_file(ROOT / "docs" / "reports" / "tutorials.py")
SMALL = """# %% [markdown]
# # A title
#
# Some words.

# %%
import pandas as pd
from matplotlib.figure import Figure

print("printed")
pd.DataFrame({"x": [1.5, float("nan")]}, index=pd.Index(["one", "two"], name="row"))

# %%
figure = Figure()
figure

# %%
x = len("abc")
x
"""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_page_has_all_cells_of_its_script(script: Path):
    page = script.with_suffix(".md").read_text()
    for cell in tutorials.read_cells(script.read_text()):
        assert (cell.content if cell.is_text else f"```python\n{cell.content}\n```") in page


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_tutorial_is_found_from_the_site_and_from_its_first_page(script: Path):
    assert f"tutorials/{script.stem}.md" in (ROOT / "mkdocs.yml").read_text()
    assert f"({script.stem}.md)" in (FOLDER / "index.md").read_text()


def test_the_tutorial_of_a_learner_says_what_new_writes():
    text = " ".join((FOLDER / "own_learner.md").read_text().split())
    assert "`python -m bench new learner NAME` writes such a linear map by least squares, `new network NAME` a" in text
    templates = ROOT / "bench" / "templates"
    assert "a linear map by least squares" in (templates / "my_learner.py").read_text().splitlines()[0]
    assert "a perceptron learns" in (templates / "my_network.py").read_text()


def test_a_page_shows_what_cells_print_and_the_values_of_their_last_lines(tmp_path: Path):
    script = tmp_path / "small.py"
    script.write_text(SMALL)
    tutorials.write_page(script, tmp_path, {})
    text, shown = (tmp_path / "small.md").read_text().split("```python\nimport pandas")
    assert text == "# A title\n\nSome words.\n\n"
    assert "```text\nprinted\n```\n\n| row   |    x |" in shown
    assert re.search(r"\| one +\| +1.50 \|\n\| two +\| +\|", shown)
    assert "```python\nfigure = Figure()\nfigure\n```\n\n![](images/small-1.png)" in shown
    assert "```text\n3\n```" in shown
    assert (tmp_path / "images" / "small-1.png").read_bytes().startswith(b"\x89PNG")


def test_a_cell_that_ends_in_no_expression_has_no_value():
    names = {}
    assert tutorials.run_code("x = 3", names) == ("", None)
    assert isinstance(tutorials.run_code("from matplotlib.figure import Figure\nFigure()", names)[1], Figure)
    assert names["x"] == 3


def test_a_tutorial_that_fails_makes_no_page(tmp_path: Path):
    script = tmp_path / "broken.py"
    script.write_text("# %%\n1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        tutorials.write_page(script, tmp_path, {})
    assert not (tmp_path / "broken.md").exists()


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_tutorial_runs_from_its_first_cell_to_its_last(script: Path, tmp_path: Path):
    """And shows as many pictures and tables as its page, whose numbers are those of another machine."""
    tutorials.make_page(script, tmp_path, tmp_path)
    made, kept = ((folder / f"{script.stem}.md").read_text() for folder in (tmp_path, FOLDER))
    for mark in (r"^!\[\]\(images/", r"^\|:?-+"):
        assert len(re.findall(mark, made, re.MULTILINE)) == len(re.findall(mark, kept, re.MULTILINE))
