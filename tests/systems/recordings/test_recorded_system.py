"""A user's own trajectories as a system: how they are split, cut and told apart."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.cells.forecasting import ForecastCell
from bench.cells.key import key
from bench.suite import Suite, load
from learners import Budget, NeuralODE, Persistence, ResNet, TrueEquations, Unsuitable, WindowedRNN
from metrics import nrmse
from systems import Recorded, RecordingNote, Sampling, sample
from systems.configuration import label
from systems.protocol import PARTS
from systems.recordings.recorded import best_length
from tests.support.commands import exit_code

SAMPLING = Sampling(context=4, horizon=1.0, climate_horizon=6.0, test=7, climate=3)


def one(folder: Path, samples: int = 200, step: float = 0.1, name: str = "one.npz") -> str:
    """One trajectory whose first channel is the time and whose second is its sine."""
    times = step * np.arange(samples) + 3.0
    np.savez(folder / name, times=times, states=np.stack([times, np.sin(times)], axis=-1))
    return str(folder / name)


def several(folder: Path, count: int = 10, samples: int = 60, irregular: bool = False) -> str:
    """Trajectories whose first channel is their number."""
    rng = np.random.default_rng(0)
    times = np.tile(0.1 * np.arange(samples), (count, 1)) + irregular * rng.uniform(0, 0.05, (count, samples))
    numbers = np.broadcast_to(np.arange(count, dtype=float)[:, None], times.shape)
    np.savez(folder / "several.npz", times=times, states=np.stack([numbers, np.cos(times)], axis=-1))
    return str(folder / "several.npz")


def test_one_trajectory_is_cut_by_time_so_that_nothing_to_test_on_is_trained_on(tmp_path: Path):
    data = sample(Recorded(one(tmp_path)), SAMPLING, 0)
    train, valid, test = (getattr(data, part).states[..., 0] for part in ("train", "valid", "test"))
    assert train.shape == (1, 120)
    assert train.max() < valid.min() <= valid.max() < test.min()
    assert data.climate.states[..., 0].min() > valid.max()


def test_a_file_that_cannot_be_read_is_told_by_argument_value_and_remedy(tmp_path: Path):
    for path in (tmp_path / "nope.csv", tmp_path):
        with pytest.raises(
            ValueError, match=rf"^Recorded\.path='{path}' cannot be read \(.*\): give the path of a file"
        ):
            Recorded(str(path))


def test_many_trajectories_are_dealt_out_whole(tmp_path: Path):
    data = sample(Recorded(several(tmp_path)), SAMPLING, 0)
    numbers = [set(getattr(data, part).states[..., 0].flatten().tolist()) for part in ("train", "valid", "test")]
    assert [len(each) for each in numbers] == [6, 2, 2]
    assert set.union(*numbers) == set(range(10))
    assert data.train.states.shape == (6, 60, 2)
    other = sample(Recorded(several(tmp_path)), SAMPLING, 1)
    assert set(other.test.states[..., 0].flatten().tolist()) != numbers[2]


def test_windows_have_context_and_horizon_and_are_spread_over_the_data(tmp_path: Path):
    data = sample(Recorded(one(tmp_path)), SAMPLING, 0)
    assert data.test.states.shape == (7, 4 + 10, 2)
    starts = data.test.states[:, 0, 0]
    torch.testing.assert_close(starts.diff(), torch.full((6,), 0.6, dtype=torch.float64), atol=0.11, rtol=0)
    assert float(data.test.states[-1, -1, 0]) == pytest.approx(3.0 + 19.9)


def test_long_forecasts_are_as_long_as_was_asked_or_as_the_data_allow(tmp_path: Path):
    system = Recorded(one(tmp_path))
    asked = sample(system, replace(SAMPLING, climate_horizon=2.0), 0)
    assert asked.climate.states.shape == (2, 4 + 20, 2)
    longest = sample(system, SAMPLING, 0)
    assert longest.climate.states.shape == (1, 50, 2)
    assert longest.sampling.climate_samples == 46


def test_the_sampling_becomes_that_of_the_file(tmp_path: Path):
    system = Recorded(one(tmp_path, step=0.05), timescale=2.0)
    data = sample(system, SAMPLING, 0)
    assert data.step == pytest.approx(0.05)
    assert data.sampling.step == pytest.approx(0.025)
    assert (data.sampling.trajectories, data.sampling.samples, data.sampling.valid) == (1, 120, 1)
    assert system.adapt(data.sampling, 0) == data.sampling
    assert system.timescale_name == "timescale"


def test_times_begin_at_zero_and_rounded_ones_are_put_on_their_grid(tmp_path: Path):
    rows = [f"{k / 3:.3f},{np.sin(k)}" for k in range(100)]
    (tmp_path / "thirds.csv").write_text("\n".join(["time,x", *rows]))
    data = sample(Recorded(str(tmp_path / "thirds.csv")), SAMPLING, 0)
    assert data.is_regular
    assert data.step == pytest.approx(1 / 3)
    torch.testing.assert_close(data.test.times[3], torch.arange(7, dtype=torch.float64) * data.step)


def of_lengths(folder: Path, *lengths: int) -> str:
    """Trajectories of these lengths."""
    lines = [f"{k},{0.1 * i:.1f},{k + np.sin(i)}" for k, length in enumerate(lengths) for i in range(length)]
    (folder / "lengths.csv").write_text("\n".join(["trajectory,time,x", *lines]))
    return str(folder / "lengths.csv")


def test_only_the_too_short_of_trajectories_of_different_lengths_are_left_out_by_name(tmp_path: Path):
    system = Recorded(of_lengths(tmp_path, 100, 100, 4, 100, 100, 4, 100, 100, 100, 100, 4, 100))
    with pytest.warns(
        RecordingNote, match=r"trajectories of fewer than 5 samples are left out: 2 \(4\), 5 \(4\) and 10"
    ):
        data = sample(system, SAMPLING, 0)
    assert data.train.states.shape == (5, 100, 1)
    assert data.valid.states.shape == (1, 100, 1)


def test_pieces_of_trajectories_of_different_lengths_use_most_samples(tmp_path: Path):
    system = Recorded(of_lengths(tmp_path, 1000, 500, 30))
    with pytest.warns(
        RecordingNote, match=r"to train are .* 300 samples.* 18 of 918, with all of the trajectories 2 \(18\)"
    ):
        data = sample(system, replace(SAMPLING, context=10), 0)
    assert data.train.states.shape == (3, 300, 1)


@pytest.mark.parametrize("lengths", [(500,) * 9, (500, 499, 503), (1000, 600), (40, 900, 900), (20, 20), (3, 4)])
def test_no_other_length_of_pieces_leaves_more_samples_with_a_context(lengths: tuple[int, ...]):
    def gain(length: int) -> int:
        return sum(n // length for n in lengths) * max(0, length - 32)

    best = best_length(lengths, 32)
    assert gain(best) >= 0.99 * max(map(gain, range(3, max(lengths) + 1)))
    assert best == lengths[0] or len(set(lengths)) > 1


def test_irregular_times_are_kept(tmp_path: Path):
    system = Recorded(several(tmp_path, irregular=True))
    data = sample(system, SAMPLING, 0)
    assert not data.is_regular
    assert not system.is_regular
    assert data.test.times[:, 0].eq(0).all()
    assert len(set(data.test.times[:, 5].tolist())) > 1


def test_the_same_file_and_seed_give_the_same_bytes(tmp_path: Path):
    system = Recorded(several(tmp_path))
    first, again = sample(system, SAMPLING, 3), sample(system, SAMPLING, 3)
    assert all(torch.equal(getattr(first, part).states, getattr(again, part).states) for part in PARTS)


def test_noise_is_added_to_what_a_learner_is_given_only(tmp_path: Path):
    clean, noisy = (sample(Recorded(one(tmp_path)), replace(SAMPLING, noise=noise), 0) for noise in (0.0, 0.1))
    assert (clean.train.states != noisy.train.states).all()
    assert (clean.test.states[:, :4] != noisy.test.states[:, :4]).all()
    assert torch.equal(clean.test.states[:, 4:], noisy.test.states[:, 4:])


def test_a_file_that_is_too_short_is_refused_with_what_to_change(tmp_path: Path):
    system = Recorded(one(tmp_path, samples=40))
    with pytest.raises(ValueError, match=r"one\.npz: a forecast takes 4 samples of context and 10 of horizon.*lower"):
        system.adapt(SAMPLING, 0)
    with pytest.raises(
        ValueError, match=r"cut by time, but then the longest has 1 samples to valid, fewer than 3: record"
    ):
        Recorded(one(tmp_path, samples=8)).adapt(SAMPLING, 0)


def test_what_cannot_be_learned_from_is_refused(tmp_path: Path):
    np.savez(tmp_path / "flat.npz", times=np.arange(9), states=np.ones((9, 1)))
    with pytest.raises(ValueError, match=r"flat\.npz: channel 'x0' never changes"):
        Recorded(str(tmp_path / "flat.npz"))
    with pytest.raises(ValueError, match=r"Recorded\.timescale must be positive, but is -1"):
        Recorded(one(tmp_path), timescale=-1.0)
    with pytest.raises(ValueError, match=r"the times of a recording are its own"):
        sample(Recorded(one(tmp_path)), replace(SAMPLING, jitter=0.5), 0)
    with pytest.raises(ValueError, match=r"absent\.csv' cannot be read \(No such file"):
        Recorded(str(tmp_path / "absent.csv"))


def test_a_channel_that_is_constant_in_the_training_data_is_refused_when_the_suite_is_planned(tmp_path: Path):
    times = 0.1 * np.arange(200)
    states = np.stack([np.sin(times), np.where(times > 15, np.cos(times), 0.25)], axis=-1)
    np.savez(tmp_path / "late.npz", times=times, states=states, channels=["x", "input"])
    with pytest.raises(ValueError, match=r"late\.npz: channel 'input' never changes in the data for training"):
        Recorded(str(tmp_path / "late.npz")).adapt(SAMPLING, 0)
    one: Any
    for one in (["x"], "x"):
        assert sample(Recorded(str(tmp_path / "late.npz"), 1.0, one), SAMPLING, 0).dim == 1
    shown = replace(SAMPLING, channels=[0])  # pyright: ignore[reportArgumentType]
    assert sample(Recorded(str(tmp_path / "late.npz")), shown, 0).train.states.shape[-1] == 1


def test_a_channel_that_only_rounding_moves_is_constant(tmp_path: Path):
    states = np.stack([np.arange(9), 0.1 + np.spacing(0.1) * (np.arange(9) % 2)], axis=-1)
    np.savez(tmp_path / "flat.npz", times=np.arange(9), states=states)
    with pytest.raises(ValueError, match=r"flat\.npz: channel 'x1' never changes"):
        Recorded(str(tmp_path / "flat.npz"))


def test_other_contents_under_the_same_name_are_another_system_and_another_cell(tmp_path: Path):
    before = Recorded(one(tmp_path))
    after = Recorded(one(tmp_path, samples=201))
    assert before != after
    assert label(before) == label(after) == f"Recorded[path={tmp_path}/one.npz]"
    cells = [ForecastCell(system, Persistence(), SAMPLING, (nrmse,), Budget(), (0,), 0) for system in (before, after)]
    assert key(cells[0]) != key(cells[1])


def test_a_file_that_changes_while_it_is_used_is_refused(tmp_path: Path):
    stale = Recorded(one(tmp_path))
    object.__setattr__(stale, "contents", "0" * 16)  # as if the file had been another one then
    with pytest.raises(ValueError, match=r"one\.npz: has changed since it was first read"):
        _ = stale.recording


def test_the_true_equations_and_maps_do_not_apply_to_it(tmp_path: Path):
    data = sample(Recorded(several(tmp_path, irregular=True)), SAMPLING, 0)
    with pytest.raises(Unsuitable, match="TrueEquations needs a system with a velocity, but Recorded"):
        TrueEquations().fit_replicas(data, Budget(), [0])
    for learner in (WindowedRNN(), ResNet()):
        with pytest.raises(Unsuitable, match="irregular times"):
            learner.fit_replicas(data, Budget(), [0])


def test_a_suite_of_ones_own_runs_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one(tmp_path)
    path = tmp_path / "suite_of_mine.py"
    path.write_text(
        "from bench.suite import Suite\nfrom learners import NeuralODE, Persistence\nfrom metrics import nrmse\n"
        "from systems import Recorded, Sampling\n"
        "suite = Suite(name='mine', description='', systems=(Recorded('one.npz'),), metrics=(nrmse,),\n"
        "    learners=(NeuralODE(), Persistence()),\n"
        "    sampling=Sampling(context=4, horizon=1.0, climate_horizon=2.0))\n"
    )
    monkeypatch.chdir(tmp_path)
    suite = load(str(path))
    assert isinstance(suite, Suite)
    cells = suite.cells()
    assert [type(cell.learner) for cell in cells] == [NeuralODE, Persistence]
    assert [cell.sampling.step for cell in cells] == pytest.approx([0.1, 0.1])


def test_commands_tell_notes_on_one_line_each_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    of_lengths(tmp_path, *[1000] * 8, 20)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("always", RecordingNote)
        code = exit_code(["plan", "--suite", "chaos", "-s", "Recorded[path=lengths.csv]", "-l", "NVAR"])
    assert (code, capsys.readouterr().err) == (
        0,
        "note: lengths.csv: trajectories of fewer than 33 samples are left out: 8 (20)\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["lengths.csv"]
