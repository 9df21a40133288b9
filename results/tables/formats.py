"""Tables as Markdown, LaTeX and CSV."""

import re
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from results.formatting import escape_markdown, pipe_table
from results.store.atomic import write_in_one_stroke
from results.tables.table import Table

KINDS = ("md", "tex", "csv")
WIDTH = 12  # columns of a LaTeX table before it is broken
_SIZES = {"B": "byte", "KiB": "kibi\\byte", "MiB": "mebi\\byte", "GiB": "gibi\\byte"}  # as siunitx calls them
_NAMED = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_NUMBER = re.compile(r"(-?[\d,.]+(?:e[+-]\d+)?)(?: (B|[KMG]iB))?")


def write(table: Table, folder: Path, kinds: Collection[str] = KINDS) -> list[Path]:
    """Write the table as `folder/name.md`, `.tex` and `.csv`, or as some of these."""
    formats: dict[str, Callable[[Table], str]] = {"md": markdown, "tex": latex, "csv": comma_separated}
    paths = []
    for suffix, render in ((suffix, render) for suffix, render in formats.items() if suffix in kinds):
        paths.append(folder / f"{table.name}.{suffix}")
        write_in_one_stroke(paths[-1], render(table))
    return paths


def markdown(table: Table) -> str:
    """A pipe table below its caption, with the reference rows in italics."""
    heads = [escape_markdown(f"{head} ({unit})" if unit else head) for head, unit in table.heads]
    lines = []
    for row in table.rows:
        entries = [
            f"**{escape_markdown(entry.text)}**" if entry.best else escape_markdown(entry.text) for entry in row.entries
        ]
        name = f"*{escape_markdown(row.learner)}*" if row.reference else escape_markdown(row.learner)
        lines.append([name, *entries, row.outcome])
    align = ["left", *["right"] * len(table.columns), "left"]
    return f"{escape_markdown(table.caption)} Reference rows in italics.\n\n{pipe_table(lines, heads, align)}\n"


def latex(table: Table) -> str:
    """A table across the page, in pieces that are not too wide; needs the packages booktabs, graphicx and siunitx."""
    printed, bold = table.printed.assign(outcome=table.outcomes), table.best.assign(outcome=False)
    references = int(np.isin(printed.index, table.references).sum())
    pieces = np.array_split(np.arange(printed.shape[1]), -(-printed.shape[1] // WIDTH))
    tabulars = [
        _tabular(printed.iloc[:, piece], bold.iloc[:, piece], [table.heads[1:][place] for place in piece], references)
        for piece in pieces
    ]
    boxes = "\n\n\\medskip\n".join(f"\\resizebox{{\\textwidth}}{{!}}{{%\n{tabular}}}" for tabular in tabulars)
    caption = _escape(table.caption)
    return (
        "% needs \\usepackage{booktabs,graphicx,siunitx}\n\\begin{table*}\n\\centering\n"
        "\\sisetup{detect-weight,mode=text,group-separator={,},group-minimum-digits=4}\n"
        f"\\caption{{{caption}}}\n\\label{{tab:{table.name}}}\n\\smallskip\n{boxes}\n\\end{{table*}}\n"
    )


def comma_separated(table: Table) -> str:
    """Raw numbers, with empty fields where there are none; the words of a table that has no number at all."""
    values = (table.words if table.values.isna().all(axis=None) else table.values).copy()
    values.insert(0, "reference", np.isin(values.index, table.references))
    return values.assign(outcome=table.outcomes).to_csv(index_label="learner", lineterminator="\n")


def _tabular(printed: pd.DataFrame, best: pd.DataFrame, heads: list[tuple[str, str]], references: int) -> str:
    """A tabular with a word of the heads in each line, the units below them, and a rule above the last rows.

    Two heads may read alike: a last line tells them apart, and is not printed.
    """
    columns = [(head.split(), re.findall(r"[^\s/]+/?", f"({unit})" if unit else "")) for head, unit in heads]
    above, below = (max(len(words[part]) for words in columns) for part in (0, 1))
    levels = [(*head, *[""] * (above - len(head)), *unit, *[""] * (below - len(unit))) for head, unit in columns]
    numbered = [(*level, place) for place, level in enumerate(levels)]
    printed = printed.set_axis(pd.MultiIndex.from_tuples(numbered), axis=1)
    bold = best.set_axis(printed.columns, axis=1).map(lambda is_best: "bfseries:--wrap;" if is_best else "")
    styler = Styler(printed).apply(lambda _: bold, axis=None)
    styler.format(_numeral).format_index(_escape, axis=0).format_index(_escape, axis=1, level=[*range(above + below)])
    styler.hide(axis=1, level=above + below)
    text: str = styler.to_latex(hrules=True, sparse_columns=False, column_format="l" + "r" * len(heads))
    lines = text.splitlines()
    if 0 < references < len(printed):
        lines.insert(lines.index(r"\bottomrule") - references, r"\midrule")
    return "\n".join(lines)


def _escape(text: str) -> str:
    """Text as LaTeX prints it."""
    return re.sub(r"[&%$#_{}\\^~]", lambda found: _NAMED.get(found[0], f"\\{found[0]}"), text)


def _numeral(text: str) -> str:
    """A number or size as siunitx sets it; anything else as words."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return _escape(text).replace("—", "---")
    number, size = found[1].replace(",", ""), found[2]
    return f"\\qty{{{number}}}{{\\{_SIZES[size]}}}" if size else f"\\num{{{number}}}"
