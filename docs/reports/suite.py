"""A run as a page of the documentation: `python docs/reports/suite.py runs/chaos` writes docs/reports/chaos.md.

It has what the run shows in sentences, its leaderboard, the pictures that compare learners, the claims about its
suite, and how it was made. The report of the run has to be there.
"""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from PIL import Image

from bench.catalogue.plugins import import_file
from results.claims.base import claims_table, judged
from results.claims.literature import CLAIMS
from results.formatting import slug
from results.report import conclusions
from results.report.figure_data import FigureData
from results.report.page import sentences
from results.store.manifest import LEADING_METRIC
from results.store.run import Run

DOCS = Path(__file__).parents[1]
FEW = 10  # systems, of more of which panels and a table of outcomes cannot be read
FEWER = 5  # systems, of more of which none is shown by itself
SHOWN = 2  # of these, the first
TALLEST = 1.5  # times its width, of a picture with a row for each learner
COLOURS = 256  # of a picture, which make its file a third as large
side_by_side = import_file(Path(__file__).with_name("pairs.py")).table
SIDE_BY_SIDE = (
    "Prediction times of kinds of network that are there in two ways, that with fewer settings of its own first: "
    "medians over seeds. Gains are geometric means over systems, with 95 % intervals."
)
OF_MANY = ("wins_by_system", "ranks")
PICTURES = {
    "wins_by_system": "Prediction times as shares of the best learner's.",
    "ranks": "Mean ranks over systems; learners that a bar joins are not resolved.",
    "prediction_times": "Prediction times of all test states.",
    "error_growth": "How errors grow.",
    "pareto": "What each prediction time costs.",
    "learning_curves_images": "Training loss over images seen.",
    "tests_by_length": "K of the 0-1 test against the length of a run.",
    "depth_training": "Forward evaluations of an update while training.",
    "depth_error": "Numerical error against evaluations of the trained models.",
    "depth_time": "Time against evaluations.",
    "depth_backward": "Backward against forward evaluations.",
    "depth_memory": "Memory against evaluations.",
}
PICTURES_OF_A_SYSTEM = {
    "fits": "The training data, the truth, and fits before and after training",
    "fields": "Recovered vector fields beside the true one",
    "attractors": "Long runs, of the truth and of models",
    "pq": "The 0-1 test: translations of long runs",
    "reconstructions": "What was given, the truth, and its reconstruction",
    "homotopy": "Between two latent states",
}


def written(run: Run, docs: Path = DOCS) -> Path:
    """Write the page of a run and copy its pictures beside those of the documentation; returns the page."""
    data, made = FigureData(run, run.frame()), run.manifest["environment"]
    best = conclusions.winners(data.prediction_times, run.compared, run.timescales)
    parts = [f"# {run.suite}", run.manifest.get("description", "")]
    if settings := run.manifest.get("settings"):
        parts.append(f"Settings: {settings}.")
    parts.append("\n".join(f"- {sentence}" for sentence in sentences(data, best)))
    parts += [_shown(run, source, caption, docs) for source, caption in _pictures(run)]
    for name, heading in (("leaderboard", "Leaderboard"), ("outcomes", "How trials ended")):
        source = run.folder / "tables" / f"{name}.md"
        if source.exists() and (name == "leaderboard" or len(run.systems) <= FEW):
            parts += [f"## {heading}", source.read_text(encoding="utf-8").strip()]
    if fitted := sorted((run.folder / "tables").glob("parameters-*.md")):
        parts += ["## Parameters", *(source.read_text(encoding="utf-8").strip() for source in fitted)]
    frame = run.frame_of_components()
    if LEADING_METRIC in run.metrics and len(run.systems) > FEW and len((both := side_by_side(frame)).columns):
        parts += ["## Side by side", SIDE_BY_SIDE, both.to_markdown()]
    if found := judged(CLAIMS, frame, run.suite, run.budget):
        table = claims_table(found)[["claim", "statement", "conditions", "verdict", "measured"]]
        parts += ["## Claims", table.to_markdown(index=False)]
    parts += [
        "## How it was made",
        f"`{made['command']}`, budget {run.budget}, data seed {run.manifest['data_seed']}, {made['started'][:10]}, "
        f"{made['cores']} cores of {made['processor']}, Python {made['python']}, torch {made['torch']}, commit "
        f"{made['git']['revision'][:10]}.",
    ]
    page = docs / "reports" / f"{run.suite}.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return page


def _pictures(run: Run) -> Iterator[tuple[Path, str]]:
    """The pictures of a run that its page shows, with their captions, those of single systems last."""
    figures = run.folder / "figures"
    for name, caption in PICTURES.items():
        source = figures / f"{name}.png"
        if source.exists() and (name in OF_MANY or len(run.systems) <= FEW):
            yield source, caption
    if len(run.systems) <= FEWER:
        for (name, caption), system in product(PICTURES_OF_A_SYSTEM.items(), list(run.timescales)[:SHOWN]):
            names = [f"{name}-{slug(system)}", *(f"{name}-{slug(system)}-{slug(learner)}" for learner in run.learners)]
            for source in (figures / f"{each}.png" for each in names):
                if source.exists() and _is_low(source):
                    yield source, f"{caption}: {system}."


def _is_low(source: Path) -> bool:
    """Whether a picture is not much taller than wide."""
    with Image.open(source) as picture:
        width, height = picture.size
    return height <= TALLEST * width


def _shown(run: Run, source: Path, caption: str, docs: Path) -> str:
    """Copy a picture to those of the documentation; returns what shows it there."""
    images = docs / "images" / "reports"
    images.mkdir(parents=True, exist_ok=True)
    name = f"{run.suite}-{source.name}"
    with Image.open(source) as picture:
        picture.convert("RGB").quantize(COLOURS).save(images / name, optimize=True)
    return f"![{caption}](../images/reports/{name})"


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(written(Run.load(Path(folder))))  # noqa: T201
