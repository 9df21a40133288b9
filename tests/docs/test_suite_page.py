"""The page of a run: what it shows, its leaderboard and pictures, and how it was made."""

from pathlib import Path

from bench.catalogue.plugins import import_file
from results.report.page import write_report
from results.store.run import Run
from tests.support.synthetic import Size, build

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
