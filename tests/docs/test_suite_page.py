"""The page of a run: what it shows, its leaderboard and pictures, and how it was made."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from bench.catalogue.plugins import import_file
from results.claims.base import interval
from results.report.page import write_report
from results.store.run import Run
from tests.support.synthetic import Size, build, with_parsed_labels

table = import_file(Path(__file__).parents[2] / "docs" / "reports" / "pairs.py").table
written = import_file(Path(__file__).parents[2] / "docs" / "reports" / "suite.py").written


def test_a_page_says_what_a_run_shows_and_how_it_was_made(tmp_path: Path):
    size = Size(step=0.1, horizon=2.0, test=2, climate_samples=200, points=3, seeds=(0, 1))
    run = Run.load(build(tmp_path / "runs", systems=("Lorenz",), learners=("ResNet", "Persistence"), size=size))
    write_report(run, figures=["png"], tables=["md"])
    page = written(run, tmp_path / "docs")
    text = page.read_text("utf-8")
    assert page == tmp_path / "docs" / "reports" / f"{run.suite}.md"
    assert text.startswith(f"# {run.suite}\n")
    assert "| ResNet" in text
    assert run.manifest["environment"]["command"] in text
    pictures = [part.partition(")")[0] for part in text.split("](../")[1:]]
    assert pictures
    assert all((tmp_path / "docs" / picture).exists() for picture in pictures)
    assert f"images/reports/{run.suite}-attractors-Lorenz.png" in pictures  # of single systems, where there are few


def test_a_page_leaves_out_pictures_that_are_much_taller_than_wide(tmp_path: Path):
    size = Size(step=0.1, horizon=2.0, test=2, climate_samples=200, points=3, seeds=(0,))
    run = Run.load(build(tmp_path / "runs", systems=("Lorenz",), learners=("ResNet", "Persistence"), size=size))
    write_report(run, figures=["png"], tables=["md"])
    Image.new("RGB", (10, 100)).save(run.folder / "figures" / "attractors-Lorenz.png")
    assert "attractors-Lorenz" not in written(run, tmp_path / "docs").read_text("utf-8")


def test_what_is_there_twice_stands_side_by_side_with_what_the_second_gains():
    frame = pd.DataFrame(
        [
            {"system": system, "learner": learner, "seed": seed, "metric": "vpt", "value": (1 + seed) * factor * time}
            for system, factor in (("Lorenz", 1.2), ("Rossler", 1.1))
            for learner, time in (("ResNet[width=32]", 2.0), ("ResNet", 2.0 / factor), ("NeuralODE", 3.0))
            for seed in range(3)
        ]
    )
    found = table(with_parsed_labels(frame))
    assert list(found.columns) == ["ResNet"]
    low, high = (np.expm1(end) for end in interval(np.log([1.2, 1.1])))
    gain = f"{100 * (np.sqrt(1.2 * 1.1) - 1):.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
    assert list(found["ResNet"]) == ["4.0 / 4.8", "4.0 / 4.4", gain, "2 of 2"]
