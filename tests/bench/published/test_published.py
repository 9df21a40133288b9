"""Other people's tables: their definitions, the rows that are measured, and the page that is made of them."""

import os
from collections.abc import Callable, Iterator, Sequence
from math import inf, log, pi, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from bench.commands.published import Name
from bench.published import measuring
from bench.published.common_task import FILE_PAIRS, SCORES, CommonTask, filtered
from bench.published.definitions import hausdorff, sliced_wasserstein, spectral_distance, state_space_divergence
from bench.published.measuring import measure_row, table_named
from bench.published.page import page, section, sections
from bench.published.polynomials import CEILINGS, ceiling, dataset, prediction_time
from bench.published.series import pieces
from bench.published.table import Figure, MeasuredRow, PublishedTable, Row
from bench.published.task_files import rho_of
from bench.published.taylor import coefficients, solve_lorenz
from learners import Persistence, PolynomialPropagator, TrueEquations
from systems import Lorenz
from tests.support.commands import ROOT, exit_code

FILES = os.environ.get("COMMON_TASK_FILES", "")
LENGTHS = {"X4train": 100, "X5train": 100, "X9train": 100, "X10train": 100}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> CommonTask:
    """Files of the same names, of one trajectory that goes on from training to test."""
    root, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    names = dict.fromkeys(name for one in FILE_PAIRS for name in (one.train, one.test))
    for name in names:
        rows = Lorenz().solve(rng.normal(size=(1, 3)) + 10, 0.05 * np.arange(LENGTHS.get(name, 600)))[0]
        savemat(root / f"{name}.mat", {name: rows})
    return CommonTask(root)


def by_definition(truth: np.ndarray, said: np.ndarray, long: bool) -> float:
    """As the framework's code has it, written from its description."""
    if not long:
        return float(100 * (1 - np.linalg.norm(truth - said, 2) / np.linalg.norm(truth, 2)))
    errors = []
    for channel in range(3):
        x, y = truth[-500:, channel], said[-500:, channel]
        edges = np.linspace(min(x.min(), y.min()), max(x.max(), y.max()), 42)
        one, other = np.histogram(x, edges)[0], np.histogram(y, edges)[0]
        errors.append(np.abs(one - other).sum() / one.sum())
    return float(100 * (1 - np.mean(errors)))


def test_scores_are_those_of_the_definition(task: CommonTask):
    rng = np.random.default_rng(1)
    said = {one.test: task.rows(one.test) + rng.normal(size=(600, 3)) for one in FILE_PAIRS}
    found = task.judge(said)
    assert tuple(found) == SCORES
    for one in FILE_PAIRS:
        truth, mine = task.rows(one.test), said[one.test]
        pairs = [(one.short, truth[:20], mine[:20], False), (one.long, truth, mine, True)]
        pairs += [(one.reconstruction, truth, mine, False)]
        for name, x, y, long in pairs:
            if name:
                assert found[name] == pytest.approx(max(-100.0, by_definition(x, y, long)), abs=1e-9)


def test_a_learner_sees_its_training_file_alone(task: CommonTask):
    for one in FILE_PAIRS:
        data = task.dataset(one)
        rows = task.rows(one.train)
        assert len(data.train) * data.train.states.shape[1] + len(data.valid) * data.valid.states.shape[1] <= len(rows)
        context, step = data.sampling.context, data.step
        assert step == pytest.approx(0.05)
        np.testing.assert_array_equal(data.test.states[0, context:].numpy(), task.rows(one.test))
    assert set(task.scores(Persistence())) == set(SCORES)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"X1train.mat: the public files .* belong there"):
        CommonTask(tmp_path).rows("X1train")


def test_pieces_end_where_the_rows_end():
    rows = np.arange(3 * 1203.0).reshape(-1, 3)
    found = pieces(rows)
    assert [len(piece) for piece in found] == [401] * 3
    np.testing.assert_array_equal(found[-1][-1], rows[-1])


def test_the_filter_takes_noise_away_and_leaves_what_has_none():
    times = 0.05 * np.arange(4000)
    clean = np.stack([np.cos(times), np.sin(3 * times), np.cos(2 * times)], axis=1)
    noisy = clean + 0.3 * np.random.default_rng(0).normal(size=clean.shape)
    assert abs(filtered(noisy) - clean).mean() < 0.5 * abs(noisy - clean).mean()
    assert abs(filtered(clean) - clean).max() < 1e-3


# Definitions


def test_a_divergence_of_states_is_that_of_the_shares_of_bins():
    """Two channels over 30 bins of the truth's range: the lowest bin counts as outside."""
    low, middle, high = (0.0, 0.0), (0.5, 0.5), (0.999, 0.999)
    truth = np.array([low, middle, middle, high, (1.0, 1.0)])  # of the last, the bin is beyond the highest
    model = np.array([middle, high, high, high, (7.0, 7.0)])
    expected = 2 / 3 * log((2 / 3) / (1 / 4)) + 1 / 3 * log((1 / 3) / (3 / 4))
    assert state_space_divergence(truth, model) == pytest.approx(expected, abs=0.02)
    assert state_space_divergence(truth, truth) == 0
    assert state_space_divergence(truth, model + 100) == inf


def test_a_distance_of_spectra_does_not_see_units_and_sees_other_rhythms():
    angle = 2 * pi * np.arange(4000) / 4000
    slow, fast = (np.stack([np.sin(cycles * angle), np.cos(cycles * angle)], axis=1) for cycles in (400, 1200))
    assert spectral_distance(slow, 3 * slow - 7) == pytest.approx(0, abs=1e-6)
    assert spectral_distance(slow, fast) == pytest.approx(1, abs=1e-6)
    assert spectral_distance(slow, np.zeros_like(slow)) == 1


def test_a_shift_is_as_far_as_its_mean_projection():
    points = np.random.default_rng(0).normal(size=(500, 2))
    assert sliced_wasserstein(points, points + np.array([3.0, 4.0])) == pytest.approx(5 * 2 / pi, rel=1e-3)
    assert sliced_wasserstein(points, np.full_like(points, np.nan)) == inf


def test_the_distance_of_two_sets_is_that_of_the_point_that_is_farthest_from_the_other():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert hausdorff(square, square[::-1]) == 0
    assert hausdorff(square, np.vstack([square, [[4.0, 5.0]]])) == pytest.approx(5)
    assert hausdorff(square[:1], square) == pytest.approx(sqrt(2))


def test_taylors_series_solves_lorenz_equations():
    start = np.array([[1.0, 2.0, 20.0], [-5.0, 3.0, 30.0]])
    slopes = Lorenz().velocity(0.0, torch.from_numpy(start)).numpy()
    np.testing.assert_allclose(coefficients(start.T, 2)[1], slopes.T, rtol=1e-15)
    found = solve_lorenz(start, 2**-4, 17)
    np.testing.assert_allclose(found, solve_lorenz(start, 2**-8, 257)[:, ::16], rtol=1e-12)
    np.testing.assert_allclose(found, Lorenz().solve(start, 2**-4 * np.arange(17), 1e-12), rtol=1e-7)


# Rows, pages and the command


def outcome_of(measure: Callable[[], Sequence[Figure]]) -> MeasuredRow:
    return measure_row(Row(("one",), measure))


def test_a_row_that_fails_says_why_and_one_that_lacks_something_is_left_out():
    def lacking() -> Sequence[Figure]:
        raise FileNotFoundError("a.npy is not there")

    assert outcome_of(lambda: [Figure(1.0)]).figures == (Figure(1.0),)
    assert outcome_of(lambda: [Figure(1 / 0)]).reason == "ZeroDivisionError: division by zero"
    assert outcome_of(lambda: [Figure(1 / 0)]).failed
    assert (outcome_of(lacking).reason, outcome_of(lacking).failed) == ("a.npy is not there", False)


def test_a_figure_stands_beside_the_published_one_with_the_difference():
    assert str(Figure(20.16, 17.4)) == "17.4 / **20.2**, +2.8"
    assert str(Figure(0.5)) == "**0.5**"
    assert str(Figure(0.47211, 0.46705, 4, 0.00391, "outside")) == "0.4671 / **0.4721** ± 0.0039, +0.0051 (outside)"


TABLE = PublishedTable("Mine", "What it is.", ("learner", "score"), lambda files: [], notes="What else.")
OTHER = PublishedTable("Other", "", ("learner", "score"), lambda files: [])
HERE = {"processor": "a processor", "torch": "2.6"}


def test_a_page_keeps_the_tables_that_are_not_made_anew():
    rows = [
        MeasuredRow(("a[b=1,c.d=2]",), (Figure(0.5, 0.4),), 61.0),
        MeasuredRow(("b",), (), 0.0, "it | failed", failed=True),
    ]
    text = section(TABLE, rows, HERE)
    assert "| a[b=1, c.d=2] | 0.4 / **0.5**, +0.1 | 1 min 1 s" in text  # labels may break into lines
    assert "it \\| failed" in text
    assert "1 min 1 s of processor time, one thread of a processor, torch 2.6" in text
    first = page([OTHER, TABLE], {"Mine": text, "Other": "## Other\n\nold"}, "")
    assert first.index("## Other") < first.index("## Mine")
    second = page([OTHER, TABLE], {"Other": "## Other\n\nnew"}, first)
    assert sections(second) == {"Other": "## Other\n\nnew", "Mine": text}


def test_every_table_has_a_module_rows_and_a_title_of_its_own(tmp_path: Path):
    tables = [table_named(name) for name in Name]
    assert len({table.title for table in tables}) == len(tables)
    for table in tables:
        rows = table.rows(tmp_path)
        assert rows
        assert all(0 < len(row.names) < len(table.heads) for row in rows), table.title


def test_the_page_of_the_docs_has_tables_of_ours_alone():
    there = sections((ROOT / "docs" / "published.md").read_text())
    assert list(there) == [table_named(name).title for name in Name if table_named(name).title in there]
    assert there


def test_the_command_writes_what_could_be_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def found(figures: tuple[Figure, ...], failed: bool) -> None:
        def measure(names: Sequence[str], files: Path, jobs: int, notify: Callable[..., None]) -> Iterator[object]:
            for name in names:
                outcomes = [MeasuredRow(("a",), figures, 1.0, "" if figures else "why", failed)]
                notify(name, outcomes[0])
                yield name, outcomes

        monkeypatch.setattr(measuring, "measure_tables", measure)

    out = tmp_path / "page.md"
    command = ["published", "depth", "--out", str(out)]
    found((), failed=False)
    assert exit_code(command) == 4
    assert not out.exists()
    found((Figure(1.0), Figure(2.0)), failed=False)
    assert exit_code(command) == 0
    assert list(sections(out.read_text())) == [table_named("depth").title]
    assert exit_code(["published", "depth", "--out", str(tmp_path / "no" / "page.md")]) == 2
    assert exit_code(["published", "nothing"]) == 2


@pytest.mark.slow
def test_rows_are_measured_in_processes_of_their_own(tmp_path: Path):
    told: list[str] = []
    made = dict(measuring.measure_tables(["common_task", "depth"], tmp_path, 2, lambda name, _: told.append(name)))
    assert [len(rows) for rows in made.values()] == [len(table_named(name).rows(tmp_path)) for name in made]
    assert len(told) == sum(map(len, made.values()))
    assert all("X1train.mat" in row.reason and not row.failed for row in made["common_task"])


@pytest.mark.slow
def test_polynomials_forecast_as_far_as_published():
    """12.8 Lyapunov times of 1,024 samples at a step of a sixteenth."""
    assert prediction_time(PolynomialPropagator(), dataset(1024, 2**-4))[0] > 11.8


@pytest.mark.slow
@pytest.mark.parametrize("precision", CEILINGS)
def test_rounding_alone_ends_forecasts_about_where_published(precision: str):
    """Published 12.0 and 32.1 Lyapunov times; measured 12.4 and 32.4."""
    assert ceiling(getattr(np, precision)) == pytest.approx(CEILINGS[precision], abs=1.0)


@pytest.mark.parametrize(("noise", "error"), [(0.0, 1e-6), (0.02, 0.5)])
def test_the_parameter_that_made_a_file_is_found(noise: float, error: float):
    rows = Lorenz(rho=33.7).solve(np.array([[1.0, 2.0, 20.0]]), 0.05 * np.arange(400))[0]
    rows += noise * rows.std(axis=0) * np.random.default_rng(0).normal(size=rows.shape)
    rho, left = rho_of(rows)
    assert rho == pytest.approx(33.7, abs=error)
    assert left == pytest.approx(0, abs=1e-8) if noise == 0 else left > noise


@pytest.mark.slow
@pytest.mark.skipif(not FILES, reason="COMMON_TASK_FILES is not the folder of the framework's public Lorenz files")
def test_the_public_files_are_what_they_are_said_to_be():
    task = CommonTask(Path(FILES))
    true = task.scores(TrueEquations())
    assert min(true["E1"], true["E11"], true["E12"]) > 99.9
    assert true["E7"] == pytest.approx(81.3, abs=0.5)
    np.testing.assert_array_equal(task.rows("X5test"), task.rows("X7test"))
