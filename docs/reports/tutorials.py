"""The tutorials as pages, with what they print and draw: `python docs/reports/tutorials.py [NAME...]`.

A tutorial is a script in cells (`# %%`), which Jupyter opens with jupytext, and VS Code and PyCharm as it is. Each is
run from the top in a process of its own, as a notebook is, and written beside the script as Markdown: text, code, what
a cell prints, and the value of its last line, tables and figures among them.
"""

import ast
import io
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from results.figures.style import save
from results.formatting import escape_markdown, pipe_table, three_digits

FOLDER = Path(__file__).parents[1] / "tutorials"
RESOLUTION = 150  # dots per inch of pictures
# Run by -c, `__main__` has no file, as in a notebook; cells are run in it.
IN_MAIN = (
    "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); from tutorials import write_page; "
    "write_page(Path(sys.argv[2]), Path(sys.argv[3]), globals())"
)


@dataclass(frozen=True)
class Cell:
    """A cell of a tutorial: Markdown or Python."""

    is_text: bool
    content: str


def read_cells(script: str) -> list[Cell]:
    """The cells of a script in the percent format."""
    _, *parts = re.split(r"^# %%(.*)\n", script, flags=re.MULTILINE)
    cells = []
    for mark, body in zip(parts[::2], parts[1::2], strict=True):
        is_text = "[markdown]" in mark
        cells.append(Cell(is_text, (re.sub(r"^# ?", "", body, flags=re.MULTILINE) if is_text else body).strip()))
    return cells


def make_page(script: Path, work: Path, folder: Path = FOLDER) -> None:
    """Run a tutorial in a process of its own, in the folder `work`. Raises CalledProcessError where a cell fails."""
    command = [sys.executable, "-c", IN_MAIN, str(Path(__file__).parent), str(script), str(folder)]
    subprocess.run(command, cwd=work, check=True)


def write_page(script: Path, folder: Path, names: dict[str, Any]) -> None:
    """Run the cells of a tutorial with these global names, and write its page and its pictures to a folder."""
    parts = list[str]()
    pictures = list[str]()
    for cell in read_cells(script.read_text()):
        if cell.is_text:
            parts.append(cell.content)
            continue
        parts.append(f"```python\n{cell.content}\n```")
        printed, value = run_code(cell.content, names)
        if printed:
            parts.append(f"```text\n{printed}\n```")
        if hasattr(value, "savefig"):
            pictures.append(f"{script.stem}-{len(pictures) + 1}")
            value.set_dpi(RESOLUTION)
            save(value, folder / "images", pictures[-1], ["png"])
            parts.append(f"![](images/{pictures[-1]}.png)")
        elif isinstance(value, (pd.DataFrame, pd.Series)):
            parts.append(table_of(pd.DataFrame(value)))
        elif value is not None:
            parts.append(f"```text\n{value!r}\n```")
    parts.append(f"*[{script.name}]({script.name}), run from its first cell to its last.*")
    (folder / f"{script.stem}.md").write_text("\n\n".join(parts) + "\n")


def run_code(code: str, names: dict[str, Any]) -> tuple[str, Any]:
    """What a cell prints, and the value of its last line, or None where that is no expression."""
    lines, printed, value = ast.parse(code).body, io.StringIO(), None
    with redirect_stdout(printed):
        if isinstance(lines[-1], ast.Expr):
            exec(compile(ast.Module(lines[:-1], []), "<tutorial>", "exec", dont_inherit=True), names)
            last = ast.Expression(lines[-1].value)
            value = eval(compile(last, "<tutorial>", "eval", dont_inherit=True), names)
        else:
            exec(compile(code, "<tutorial>", "exec", dont_inherit=True), names)
    return printed.getvalue().rstrip(), value


def table_of(frame: pd.DataFrame) -> str:
    """A frame as a table in Markdown, empty where it has no number."""
    frame = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
    rows = [[_text(value) for value in row] for row in frame.itertuples(index=False)]
    heads = [escape_markdown("" if name == "index" else str(name)) for name in frame.columns]
    align = ["right" if kind.kind in "fi" else "left" for kind in frame.dtypes]
    return pipe_table(rows, heads, align)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return three_digits(value) if value == value else ""
    return escape_markdown(str(value))


def main(names: Sequence[str]) -> None:
    """Make the pages of these tutorials, or of all, in one folder: they share what they have run."""
    with TemporaryDirectory() as work:
        for script in [FOLDER / f"{name}.py" for name in names] or sorted(FOLDER.glob("*.py")):
            make_page(script, Path(work))


if __name__ == "__main__":
    main(sys.argv[1:])
