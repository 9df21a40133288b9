"""Every figure on sample data: deterministic bytes, embedded fonts, journal widths, readable in grey."""

import re
import subprocess
import sys
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from results.figures.chaos import lyapunov_spectra, maxima, return_maps
from results.figures.style import LOOKS, adapt, looking, save, styles
from results.report import samples
from tests.support.cases import few
from tests.support.commands import exit_code

DRAWN = samples.FIGURES
ROOT = Path(__file__).parents[3]


def digest(figure: Figure, folder: Path) -> str:
    return sha256(save(figure, folder, "figure", ["svg"])["svg"].read_bytes()).hexdigest()


@pytest.mark.parametrize("name", few(DRAWN, *range(0, len(DRAWN), 5)))
def test_the_same_data_give_the_same_bytes(name: str, tmp_path: Path):
    assert digest(DRAWN[name](), tmp_path / "first") == digest(DRAWN[name](), tmp_path / "second")


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(tmp_path: Path):
    call = (
        "from pathlib import Path; from results.figures.style import save; "
        "from results.report import samples; "
        f"save(samples.FIGURES['return_maps'](), Path({str(tmp_path)!r}), 'there', ['svg'])"
    )
    environment = {"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", call], cwd=ROOT, env=environment, check=True)
    here = save(DRAWN["return_maps"](), tmp_path, "here", ["svg"])["svg"]
    assert here.read_bytes() == (tmp_path / "there.svg").read_bytes()


def test_other_data_give_other_bytes(tmp_path: Path):
    learned = {"ResNet": samples.lorenz()[:, 2]}
    one, other = (return_maps(samples.lorenz()[:end, 2], learned, samples.STYLES) for end in (5000, 6000))
    assert digest(one, tmp_path / "first") != digest(other, tmp_path / "second")


def test_fonts_lie_within_the_pdf_as_they_are(tmp_path: Path):
    content = save(DRAWN["critical_difference"](), tmp_path, "figure", ["pdf"])["pdf"].read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


@pytest.mark.parametrize("name", ["win_matrix", "critical_difference", "error_growth"])
def test_on_paper_a_figure_is_as_wide_as_a_column_of_a_journal(name: str, tmp_path: Path):
    figure = DRAWN[name]()
    with looking("paper"):
        content = save(figure, tmp_path, "figure", ["svg"])["svg"].read_text()
    found = re.search(r'width="([\d.]+)pt"', content)
    assert found
    assert float(found[1]) / 72 in (pytest.approx(3.39), pytest.approx(7.0))


def test_a_talk_has_larger_figures_with_text_that_is_larger_still():
    plain, shown = DRAWN["error_growth"](), DRAWN["error_growth"]()
    adapt(shown, LOOKS["talk"])
    sizes = [{str(text.get_text()): float(text.get_fontsize()) for text in one.findobj(Text)} for one in (plain, shown)]
    grown = shown.get_size_inches()[0] / plain.get_size_inches()[0]
    assert grown == pytest.approx(1.7)
    assert sizes[1]["NRMSE"] / sizes[0]["NRMSE"] == pytest.approx(1.9)


def test_a_look_ends_with_its_context(tmp_path: Path):
    with looking("talk"):
        pass
    figure = DRAWN["win_matrix"]()
    before = tuple(figure.get_size_inches())
    save(figure, tmp_path, "figure", ["svg"])
    assert tuple(figure.get_size_inches()) == before


def test_lines_of_compared_learners_are_told_apart_in_grey():
    looks = styles([f"learner {place}" for place in range(9)], ())
    for one, other in combinations(looks.values(), 2):
        greys = [float(np.dot(to_rgb(style.colour), (0.299, 0.587, 0.114))) for style in (one, other)]
        assert one.dash != other.dash or abs(greys[0] - greys[1]) > 0.08


def test_maxima_of_a_parabola_lie_between_the_samples():
    time = np.arange(-3, 4) + 0.3
    assert maxima(5 - time**2) == pytest.approx([5.0])


def test_maxima_stop_where_a_series_leaves_the_finite_numbers():
    wave = np.where(np.arange(100) < 50, np.sin(np.arange(100)), np.nan)
    found = maxima(wave)
    assert np.isfinite(found).all()
    assert len(found) == 8


def test_the_return_map_of_lorenz_is_a_cusp_of_one_branch_on_either_side():
    peaks = maxima(samples.lorenz()[:, 2])
    low, high = peaks[:-1] < 38, peaks[:-1] > 39.5
    assert np.corrcoef(peaks[:-1][low], peaks[1:][low])[0, 1] > 0.95
    assert np.corrcoef(peaks[:-1][high], peaks[1:][high])[0, 1] < -0.9


def test_a_return_map_shows_the_truth_behind_each_learner_and_says_what_has_none():
    series = samples.lorenz()[:, 2]
    figure = return_maps(series, {"ResNet": series, "RKNet": "diverged"}, samples.STYLES)
    truth, learner, failed = figure.axes[:3]
    assert [len(axes.lines) for axes in (truth, learner, failed)] == [2, 3, 1]
    assert failed.texts[0].get_text() == "diverged"


def test_lyapunov_spectra_of_one_learner_stand_at_their_order():
    columns = {"system": "Lorenz", "order": [1, 2, 3], "low": 0.8, "median": 0.9, "high": 1.2}
    spectra = pd.concat([pd.DataFrame(columns).assign(learner=learner) for learner in ("", "ResNet")])
    axes = lyapunov_spectra(spectra, samples.STYLES, samples.SYSTEMS).axes[0]
    marks = next(line for line in axes.lines if line.get_marker() == "o")
    assert np.array_equal(marks.get_xdata(), [1, 2, 3])
    assert axes.get_ylabel() == "rate (1/Lyapunov time)"


def test_the_command_draws_the_gallery_without_a_run(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(samples, "FIGURES", {name: DRAWN[name] for name in ("win_matrix", "critical_difference")})
    code = exit_code(["report", "--gallery", "--style", "talk", "--out", str(tmp_path)])
    assert code == 0
    assert capsys.readouterr().out == f"{tmp_path / 'gallery'}\n"
    kinds = {"win_matrix", "critical_difference"}
    assert {path.name for path in (tmp_path / "gallery").iterdir()} == {
        f"{name}.{suffix}" for name in kinds for suffix in ("pdf", "svg", "png")
    }
