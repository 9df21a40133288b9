"""What runs say of the literature's claims, as a page: `python docs/reports/claims.py docs/reports/claims.md RUN...`.

Each run is the folder of a finished suite. Of each the page has the command, the day, the machine and the sources that
made it, then a row for every claim that it tests; first of all, how many claims are decided. What the page said of
other claims stays: part of a suite, run with more seeds, has a section of its own.
"""

import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Collection
from itertools import chain, count
from pathlib import Path

from results.claims.base import Claim, Effect, judged
from results.claims.literature import CLAIMS
from results.store.run import Run

ROW = re.compile(r"^\| \*\*(?P<claim>.*?)\*\* .*? \| .*? \| (?P<verdict>.*?) \|", flags=re.MULTILINE)
HEAD = ("claim", "models and data", "verdict", "effect, 95 % interval over seeds")


def updated(page: str, runs: list[Run]) -> str:
    """The page, in Markdown, with the sections of these runs in place of what it said of their suites."""
    sections = {text.partition("\n")[0]: text.strip() for text in re.split(r"^## ", page, flags=re.MULTILINE)[1:]}
    for run in runs:
        found = judged(CLAIMS, run.frame_of_components(), run.suite, run.budget)
        if claims := [(claim, effect) for claim, effect in found if not effect.reason] or found:
            names = {claim.name for claim, _ in claims}
            left = without(names, sections)
            name = next((name for name in sections if name not in left), "") or new_heading(run, left)
            sections = {each: left.get(each, "") for each in sections if each in left or each == name}
            sections[name] = section(name, run, claims)
    suites = list(dict.fromkeys(claim.suite for claim in CLAIMS))
    names = sorted(sections, key=lambda name: suites.index(name.partition(",")[0]))
    parts = [f"## {sections[name]}" for name in names]
    rows = [row["verdict"] for row in ROW.finditer("\n".join(parts))]
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in Counter(rows).most_common())
    return "\n\n".join(["# Claims of the literature", f"{len(rows)} rows: {verdicts}.", *parts]) + "\n"


def new_heading(run: Run, taken: Collection[str]) -> str:
    """The suite, and where a section of it is there already the number of seeds, and where that is, too, a number."""
    seeds = f"{run.suite}, {len(run.manifest['seeds'])} seeds"
    headings = chain([run.suite, seeds], (f"{seeds} ({number})" for number in count(2)))
    return next(heading for heading in headings if heading not in taken)


def without(names: set[str], sections: dict[str, str]) -> dict[str, str]:
    """The sections without the rows of these claims, and without those that have no other row."""
    left = {
        heading: "\n".join(
            line for line in text.splitlines() if not (row := ROW.match(line)) or row["claim"] not in names
        )
        for heading, text in sections.items()
    }
    return {heading: text for heading, text in left.items() if ROW.search(text)}


def section(name: str, run: Run, claims: list[tuple[Claim, Effect]]) -> str:
    """One run, from its name on: how it was made, and what it says."""
    made = run.manifest["environment"]
    rows = [
        "| " + " | ".join(each.replace("|", "\\|").replace("[", "\\[") for each in row) + " |"
        for row in (
            HEAD,
            ["---"] * len(HEAD),
            *(
                (f"**{claim.name}** {claim.statement}", claim.conditions, effect.verdict, effect.in_words)
                for claim, effect in claims
            ),
        )
    ]
    sources = "; ".join(dict.fromkeys(claim.source for claim, _ in claims))
    return "\n".join(
        [
            f"{name}\n",
            f"`{run.manifest['command']}`, budget {run.budget}, {len(run.manifest['seeds'])} seeds, "
            f"{made['started'][:10]}, {made['cores']} cores of {made['processor']}, torch {made['torch']}, sources "
            f"{made['git']['revision'][:10]}. {sources}.\n",
            *rows,
        ]
    )


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    given = parser.parse_args()
    before = given.page.read_text() if given.page.exists() else ""
    given.page.write_text(updated(before, [Run.load(folder) for folder in given.runs]))
