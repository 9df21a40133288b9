"""What runs say of the literature's claims, as a page: `python docs/reports/claims.py docs/reports/claims.md RUN...`.

Each run is the folder of a finished suite. Of each the page has the command, the day, the machine and the sources that
made it, then a row for every claim about it; first of all, how many claims are decided.
"""

import sys
from collections import Counter
from pathlib import Path

from results.claims.base import Claim, Effect, judged
from results.claims.literature import CLAIMS
from results.store.run import Run

HEAD = ("claim", "models and data", "verdict", "effect, 95 % interval over seeds")


def page(runs: list[Run]) -> str:
    """Markdown."""
    found = [(run, judged(CLAIMS, run.frame_of_components(), run.suite, run.budget)) for run in runs]
    verdicts = Counter(effect.verdict for _, claims in found for _, effect in claims)
    total = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    parts = ["# Claims of the literature", f"{sum(verdicts.values())} rows: {total}."]
    return "\n\n".join([*parts, *(section(run, claims) for run, claims in found if claims)]) + "\n"


def section(run: Run, claims: list[tuple[Claim, Effect]]) -> str:
    """One run: how it was made, and what it says."""
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
            f"## {run.suite}\n",
            f"`{run.manifest['command']}`, budget {run.budget}, {len(run.manifest['seeds'])} seeds, "
            f"{made['started'][:10]}, {made['cores']} cores of {made['processor']}, torch {made['torch']}, sources "
            f"{made['git']['revision'][:10]}. {sources}.\n",
            *rows,
        ]
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page([Run.load(Path(folder)) for folder in sys.argv[2:]]))
