"""Figures as the page of a report shows them: drawn and saved, or left by films."""

import base64
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from results.figures.style import PAGE, save
from results.formatting import slug
from results.report.figure_data import Picture
from results.store.run import Run


@dataclass(frozen=True)
class SavedFigure:
    """A figure as the page shows it, with the files that it was saved as."""

    name: str
    title: str
    caption: str
    system: str
    source: str  # a data address
    files: dict[str, str]  # paths relative to the page, by format
    width: float = 1.0  # as a share of the page's, so that all have letters of one size


def save_picture(picture: Picture, caption: str, folder: Path, kinds: Collection[str], shown: bool) -> SavedFigure:
    """Draw and save a picture in these formats; where it is shown on the page, with its content."""
    kind = "png" if picture.dense else "svg"
    wanted = [*kinds, *([kind] if shown and kind not in kinds else [])]
    figure = picture.draw()
    width = min(1.0, figure.get_figwidth() / PAGE)
    paths = save(figure, folder / "figures", picture.name, wanted)
    source = _address(paths[kind]) if shown else ""
    for extra in set(paths) - set(kinds):
        paths.pop(extra).unlink()
    files = {kind: path.relative_to(folder).as_posix() for kind, path in paths.items()}
    return SavedFigure(picture.name, picture.title, caption, picture.system, source, files, width)


def saved_films(run: Run) -> Iterator[SavedFigure]:
    """What `run --film` has left: strips of the learning of planar and other models, and their vector fields."""
    stages = {slug(learner): "Learning, stage by stage" for learner in run.learners}
    titles = stages | {"vector-fields": "Learned vector fields"}
    for system, (name, title) in product(run.systems, titles.items()):
        path = run.folder / "films" / f"{slug(system)}-{name}.png"
        if path.exists():
            alike = [path.with_name(f"{path.stem}{suffix}") for suffix in (".gif", ".mp4", ".pdf", ".png", ".svg")]
            files = {one.suffix[1:]: one.relative_to(run.folder).as_posix() for one in alike if one.exists()}
            caption = f"Filmed with the first seed. {run.conditions}"
            yield SavedFigure(f"film-{path.stem}", title, caption, system, _address(path), files)


def _address(path: Path) -> str:
    """The content of a picture as an address that a page can hold."""
    media = {".png": "image/png", ".svg": "image/svg+xml"}[path.suffix]
    return f"data:{media};base64,{base64.b64encode(path.read_bytes()).decode()}"
