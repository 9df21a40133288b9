"""How long a reference solution is the truth, and what follows for prediction times."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from jaxtyping import Float64

import systems.ground_truth
from bench.cells.data import observe
from metrics import Cost, Evidence, longest_prediction_times, prediction_times, vpt, vpt_capped
from systems import Lorenz, Sampling, System, Trajectories, sample
from systems.ground_truth import ground_truth_time
from tests.support.problems import HarmonicOscillator

BRIEF = Sampling(step=0.05, trajectories=2, samples=20, valid=1, test=3, context=4, horizon=12.0, climate=1)
COST = Cost(0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Sloppy(HarmonicOscillator):
    """Solved exactly, but with an error in its first channel that grows by a factor e in a unit of time."""

    def solve(
        self,
        initial: Float64[np.ndarray, "batch dim"],
        times: Float64[np.ndarray, "*batch time"],
        tolerance: float = 1e-11,
    ) -> Float64[np.ndarray, "batch time dim"]:
        states = self.exact(initial, times)
        states[..., 0] += 1e6 * tolerance * np.exp(times)
        return states


SLOPPY = replace(BRIEF, test=2, climate_horizon=0.1)


def test_the_truth_is_known_for_as_long_as_its_error_takes_to_grow():
    data = sample(Sloppy(), SLOPPY, 0)
    difference = 9e-5 / data.std[0].item() / np.sqrt(2)  # of the two solutions at time 0, over both channels
    begin = 3 * 0.05  # the last sample of the context
    assert ground_truth_time(data) == pytest.approx(np.log(0.05 / difference) - begin, abs=0.05)


@pytest.mark.slow
def test_the_reference_is_the_truth_up_to_the_standard_horizon():
    assert ground_truth_time(sample(Lorenz(), replace(BRIEF, climate_horizon=0.1), 0)) == np.inf


def test_noise_and_hidden_channels_do_not_shorten_the_truth():
    sampling = replace(BRIEF, noise=0.2, horizon=3.0, climate_horizon=0.1)
    assert ground_truth_time(sample(HarmonicOscillator(), replace(sampling, test=2, channels=(1,)), 0)) == np.inf


def test_irregular_contexts_do_not_shorten_the_truth():
    sampling = replace(BRIEF, jitter=0.5, horizon=2.0, climate_horizon=0.1, test=2)
    assert ground_truth_time(sample(HarmonicOscillator(), sampling, 0)) == np.inf


def test_what_no_solver_made_is_the_truth():
    @dataclass(frozen=True)
    class Seen(System):
        timescale_name = "period"

        @property
        def dim(self) -> int:
            return 1

        @property
        def timescale(self) -> float:
            return 1.0

        def observe(self, part: str, sampling: Sampling, seed: int) -> Trajectories:
            return HarmonicOscillator().observe(part, sampling, seed)

    assert ground_truth_time(sample(Seen(), replace(BRIEF, test=2, trajectories=2, climate_horizon=0.1), 0)) == np.inf


def test_the_time_is_kept_with_the_data(tmp_path, monkeypatch: pytest.MonkeyPatch):
    made = observe(Sloppy(), SLOPPY, 0, tmp_path)
    monkeypatch.setattr(systems.ground_truth, "AGREEMENT", np.inf)
    read = observe(Sloppy(), SLOPPY, 0, tmp_path)
    assert 2 < made.ground_truth_time == read.ground_truth_time < 12


def evidence(good: list[int], known: float = np.inf) -> Evidence:
    """Ten samples a tenth apart, of which so many are good."""
    forecast = np.array([[0.0] * count + [1.0] * (10 - count) for count in good])[:, :, None]
    truth = np.zeros_like(forecast)
    return Evidence(0.1, np.ones(1), truth, forecast, truth, truth, COST, ground_truth_time=known)


def test_no_prediction_time_is_longer_than_the_truth_is_known():
    np.testing.assert_allclose(prediction_times(evidence([2, 5, 9], known=0.45)), [0.2, 0.45, 0.45])
    np.testing.assert_allclose(longest_prediction_times(evidence([2, 5], known=0.45)), 0.45)
    np.testing.assert_allclose(longest_prediction_times(evidence([2, 5])), 1.0)
    assert vpt.measure(evidence([2, 6, 9], known=0.45)) == 0.45


@pytest.mark.parametrize(("known", "share"), [(np.inf, 0.25), (0.65, 0.5), (0.05, 1.0)])
def test_forecasts_that_stay_valid_for_as_long_as_can_be_told_are_flagged(known: float, share: float):
    assert vpt_capped.measure(evidence([2, 4, 7, 10], known)) == share


@pytest.mark.parametrize("known", [-1.0, np.nan])
def test_a_ground_truth_time_is_not_negative(known: float):
    with pytest.raises(ValueError, match=f"ground_truth_time must not be negative, but is {known}"):
        evidence([1], known)
