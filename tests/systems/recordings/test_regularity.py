"""Which recorded times are regular, and how a recording is cut at its gaps."""

from pathlib import Path

import numpy as np
import pytest
import torch

from systems import Recorded, RecordingNote, Sampling, sample

SAMPLING = Sampling(context=4, horizon=1.0, climate_horizon=6.0, test=7, climate=3)


def rows(folder: Path, times: np.ndarray, form: str, states: np.ndarray | None = None) -> str:
    """A file of one channel, with its times in this format."""
    states = np.sin(np.arange(len(times))) if states is None else states
    lines = [f"{t:{form}},{x}" for t, x in zip(times, states, strict=True)]
    (folder / "rows.csv").write_text("\n".join(["time,x", *lines]))
    return str(folder / "rows.csv")


@pytest.mark.parametrize(
    ("times", "form", "step"),
    [
        (np.arange(300) / 30, ".3f", 1 / 30),
        (np.arange(300) / 30, ".2f", 1 / 30),
        (2460000.5 + np.arange(300) / 86400, ".8f", 1 / 86400),
        ((1e5 + 0.05 * np.arange(300)).astype(np.float32).astype(float), ".17g", 0.05),
    ],
    ids=["milliseconds", "hundredths", "Julian dates", "single precision"],
)
def test_times_that_are_rounded_are_regular(tmp_path: Path, times: np.ndarray, form: str, step: float):
    system = Recorded(rows(tmp_path, times, form), timescale=step * 10)
    assert system.is_regular
    assert system.step == pytest.approx(step, rel=1e-3)
    assert sample(system, SAMPLING, 0).is_regular


@pytest.mark.parametrize(("form", "jitter"), [(".3f", 0.005), (".2f", 0.03), (".17g", 0.003)])
def test_times_that_vary_by_more_than_their_rounding_are_irregular(tmp_path: Path, form: str, jitter: float):
    times = 0.1 * np.arange(300) + np.random.default_rng(0).uniform(-jitter, jitter, 300)
    assert not Recorded(rows(tmp_path, times, form)).is_regular


def test_a_recording_is_cut_at_a_gap(tmp_path: Path):
    times = np.delete(0.1 * np.arange(300), np.arange(100, 120))
    with pytest.warns(
        RecordingNote, match=r"rows\.csv: has gaps, and is cut there into 2 .*; those after gaps: 0 from 12"
    ):
        system = Recorded(rows(tmp_path, times, ".2f", times))
    first, second = (one.states[:, 0] for one in system.recording.trajectories)
    np.testing.assert_allclose(first, 0.1 * np.arange(100), atol=1e-9)
    np.testing.assert_allclose(second, 0.1 * np.arange(120, 300), atol=1e-9)
    with pytest.warns(RecordingNote, match=r"to train are pieces of 54 samples"):
        data = sample(system, SAMPLING, 0)
    assert data.is_regular
    torch.testing.assert_close(data.train.states.diff(dim=1), torch.full((3, 53, 1), 0.1, dtype=torch.float64))


def test_a_recording_with_many_gaps_is_irregular(tmp_path: Path):
    times = np.delete(0.1 * np.arange(300), np.arange(10, 290, 20))
    assert not Recorded(rows(tmp_path, times, ".2f")).is_regular
