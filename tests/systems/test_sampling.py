"""Sampling: what is observed, with what noise, and that it is a pure function of its arguments."""

import subprocess
import sys
from dataclasses import fields, replace
from hashlib import sha256
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from systems import (
    Dataset,
    HenonMap,
    KuramotoSivashinsky,
    LinearSpiral,
    Lorenz,
    RandomSpirals,
    Recorded,
    Sampling,
    Simulated,
    StochasticLorenz,
    System,
    Trajectories,
    VanDerPol,
    sample,
)
from systems.observation import Irregular, Partial, Retraced, Under
from systems.protocol import PARTS

SMALL = Sampling(
    step=0.05, trajectories=3, samples=20, valid=2, test=4, context=5, horizon=0.6, climate=2, climate_horizon=2
)
WHOLE = [field.name for field in fields(Sampling) if type(field.default) is int]
FRACTIONS = ["jitter", "dropped"]
REAL = [field.name for field in fields(Sampling) if isinstance(field.default, float) and field.name not in FRACTIONS]


def digest(dataset: Dataset) -> str:
    """Of every byte of a dataset."""
    parts = [getattr(dataset, part) for part in PARTS]
    arrays = [array for part in parts for array in (part.times, part.states)]
    return sha256(b"".join(array.numpy().tobytes() for array in arrays)).hexdigest()


def equal(one: Trajectories, other: Trajectories) -> bool:
    return torch.equal(one.times, other.times) and torch.equal(one.states, other.states)


@pytest.fixture(scope="module")
def clean() -> Dataset:
    return sample(LinearSpiral(), SMALL, seed=3)


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    return sample(LinearSpiral(), replace(SMALL, noise=0.1, trajectories=200), seed=3)


# What is observed


def test_each_part_has_its_trajectories_and_samples(clean: Dataset):
    shapes = {part: tuple(getattr(clean, part).states.shape) for part in PARTS}
    assert shapes == {"train": (3, 20, 2), "valid": (2, 20, 2), "test": (4, 5 + 12, 2), "climate": (2, 5 + 40, 2)}
    assert clean.dim == 2
    assert len(clean.test) == 4


@pytest.mark.parametrize("part", PARTS)
def test_times_are_multiples_of_the_step_in_timescales(clean: Dataset, part: str):
    times, states = getattr(clean, part).times, getattr(clean, part).states
    expected = 0.05 * 2 * np.pi * torch.arange(times.shape[1], dtype=torch.float64)
    torch.testing.assert_close(times, expected.expand_as(times))
    assert clean.step == 0.05 * 2 * np.pi
    assert times.dtype == states.dtype == torch.float64


@pytest.mark.parametrize("part", PARTS)
def test_states_are_the_solution_at_the_times(clean: Dataset, part: str):
    times, states = getattr(clean, part).times[0].numpy(), getattr(clean, part).states.numpy()
    start = states[:, 0] @ [1, 1j]
    exact = start[:, None] * np.exp((-0.1 + 1j) * times)
    np.testing.assert_allclose(states @ [1, 1j], exact, atol=1e-5 if part == "climate" else 1e-9)


@pytest.mark.parametrize(
    ("step", "horizon", "samples"), [(0.1, 1.0, 10), (0.1, 0.26, 3), (0.5, 0.1, 1), (0.02, 12, 600)]
)
def test_a_horizon_is_scored_at_the_nearest_number_of_samples_and_at_one_at_least(step, horizon, samples):
    sampling = Sampling(step=step, horizon=horizon, climate_horizon=2 * horizon)
    assert sampling.forecast_samples == samples
    assert sampling.climate_samples == pytest.approx(2 * samples, abs=1)


def test_data_are_standardised_by_the_statistics_of_training(clean: Dataset):
    standard = clean.standardise(clean.train.states)
    torch.testing.assert_close(standard.mean(dim=(0, 1)), torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(standard.std(dim=(0, 1), correction=0), torch.ones(2, dtype=torch.float64))
    expected = (clean.test.states - clean.mean) / clean.std
    torch.testing.assert_close(clean.standardise(clean.test.states), expected)
    assert clean.standardise(clean.test.states.float()).dtype == torch.float32


def test_samples_between_two_indices_keep_their_times(clean: Dataset):
    part = clean.test.between(5, 8)
    assert equal(part, Trajectories(clean.test.times[:, 5:8], clean.test.states[:, 5:8]))
    assert clean.test.between(5).states.shape[1] == 12


def test_a_dataset_can_be_moved(clean: Dataset):
    moved = clean.to("meta")
    assert {getattr(moved, part).states.device.type for part in PARTS} == {"meta"}
    assert clean.train.states.device.type == "cpu"


# A pure function


@pytest.mark.slow
def test_the_same_arguments_give_the_same_bytes_in_a_fresh_process():
    systems, sampling = (LinearSpiral(), VanDerPol(mu=2.0), Lorenz()), replace(SMALL, noise=0.1)
    program = (
        "from systems import *\n"
        "from tests.systems.test_sampling import digest\n"
        f"for system in {systems!r}:\n"
        f"    print(digest(sample(system, {sampling!r}, 7)))\n"
    )
    root = Path(__file__).parents[2]
    there = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert there.stdout.split() == [digest(sample(system, sampling, 7)) for system in systems]


def test_global_generators_neither_matter_nor_move():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = digest(sample(LinearSpiral(), SMALL, 0))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert digest(sample(LinearSpiral(), SMALL, 0)) == first


def test_another_seed_gives_other_data_in_every_part(clean: Dataset):
    other = sample(LinearSpiral(), SMALL, seed=4)
    assert not any(torch.equal(getattr(clean, part).states, getattr(other, part).states) for part in PARTS)


def test_the_parts_start_from_different_states(clean: Dataset):
    starts = torch.cat([getattr(clean, part).states[:, 0] for part in PARTS])
    assert len(torch.unique(starts, dim=0)) == len(starts)


@pytest.mark.parametrize("change", [{"trajectories": 7}, {"samples": 33}, {"valid": 5}, {"climate": 1}])
def test_more_data_of_one_kind_leave_the_test_data_as_they_are(clean: Dataset, change: dict):
    assert equal(sample(LinearSpiral(), replace(SMALL, **change), 3).test, clean.test)


# Observation noise


def test_training_data_carry_noise_of_the_asked_size(noisy: Dataset):
    truth = sample(LinearSpiral(), replace(noisy.sampling, noise=0.0), 3)
    for part in ("train", "valid"):
        noise = getattr(noisy, part).states - getattr(truth, part).states
        relative = noise.std(dim=(0, 1)) / truth.train.states.std(dim=(0, 1), correction=0)
        torch.testing.assert_close(relative, torch.full((2,), 0.1, dtype=torch.float64), rtol=0.25, atol=0)
    first, second = (noisy.train.states - truth.train.states)[:, :2].unbind(dim=1)
    correlation = torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1]
    assert abs(correlation) < 0.2


@pytest.mark.parametrize("part", ["test", "climate"])
def test_a_context_carries_noise_and_the_truth_that_is_scored_does_not(clean: Dataset, noisy: Dataset, part: str):
    seen, truth = getattr(noisy, part), getattr(clean, part)
    assert (seen.between(0, 5).states != truth.between(0, 5).states).all()
    assert equal(seen.between(5), truth.between(5))


def test_twice_the_noise_is_the_same_noise_twice(clean: Dataset):
    one, two = (sample(LinearSpiral(), replace(SMALL, noise=size), 3).train.states for size in (0.1, 0.2))
    torch.testing.assert_close(two - clean.train.states, 2 * (one - clean.train.states))


# Irregular times


@pytest.fixture(scope="module", params=[{"jitter": 0.6}, {"dropped": 0.4}, {"jitter": 0.9, "dropped": 0.5}], ids=repr)
def irregular(request: pytest.FixtureRequest) -> Dataset:
    return sample(LinearSpiral(), replace(SMALL, **request.param), seed=3)


def places(dataset: Dataset, part: str) -> torch.Tensor:
    """Times in steps."""
    return getattr(dataset, part).times / dataset.step


@pytest.mark.parametrize("part", PARTS)
def test_irregular_samples_are_the_solution_at_their_own_increasing_times(irregular: Dataset, part: str):
    times, states = getattr(irregular, part).times.numpy(), getattr(irregular, part).states.numpy()
    assert (np.diff(times) > 0).all()
    exact = (states[:, :1] @ [1, 1j]) * np.exp((-0.1 + 1j) * times)
    np.testing.assert_allclose(states @ [1, 1j], exact, atol=1e-5 if part == "climate" else 1e-9)


def test_irregular_parts_keep_their_sizes_and_each_trajectory_has_times_of_its_own(irregular: Dataset):
    shapes = {part: tuple(getattr(irregular, part).states.shape) for part in PARTS}
    assert shapes == {"train": (3, 20, 2), "valid": (2, 20, 2), "test": (4, 5 + 12, 2), "climate": (2, 5 + 40, 2)}
    assert not torch.equal(irregular.train.times[0], irregular.train.times[1])
    assert not irregular.is_regular


@pytest.mark.parametrize("part", ["test", "climate"])
def test_a_forecast_starts_on_the_grid_and_is_scored_on_it(irregular: Dataset, part: str):
    offsets = places(irregular, part)[:, 4:] - places(irregular, part)[:, 4:5]
    expected = torch.arange(offsets.shape[1], dtype=torch.float64)
    torch.testing.assert_close(offsets, expected.expand_as(offsets))


def test_jitter_shifts_by_half_its_width_at_most(clean: Dataset):
    jittered = sample(LinearSpiral(), replace(SMALL, jitter=0.6, trajectories=50), 3)
    shift = places(jittered, "train") - torch.arange(20)
    assert shift[:, 0].eq(0).all()
    assert 0.29 < float(shift.abs().max()) <= 0.3
    torch.testing.assert_close(jittered.test.states[:, 4:], clean.test.states[:, 4:])


def test_dropped_samples_are_missing_from_the_grid():
    sparse = places(sample(LinearSpiral(), replace(SMALL, dropped=0.5), 3), "train")
    torch.testing.assert_close(sparse, sparse.round())
    assert sparse[:, -1].round().eq(39).all()


@pytest.mark.parametrize("system", [VanDerPol(20.0), KuramotoSivashinsky()], ids=lambda system: type(system).__name__)
def test_every_integrator_takes_times_for_each_trajectory(system: Simulated):
    initial = system.initial_states(2, np.random.default_rng(0))
    times = np.array([[0.0, 0.1, 0.5], [0.0, 0.4, 0.45]]) * system.timescale
    each = np.concatenate([system.solve(initial[[k]], times[k]) for k in range(2)])
    np.testing.assert_allclose(system.solve(initial, times), each, atol=1e-7)


# Partial observation


def test_a_subset_of_the_channels_is_observed(clean: Dataset):
    partial = sample(LinearSpiral(), replace(SMALL, channels=(1,)), 3)
    assert torch.equal(partial.train.states, clean.train.states[..., 1:])
    assert (partial.dim, partial.is_complete, clean.is_complete) == (1, False, True)
    with pytest.raises(
        ValueError, match=r"Sampling\.channels=\(2,\) has channel 2, but those of LinearSpiral are 0 to 1"
    ):
        sample(LinearSpiral(), replace(SMALL, channels=(2,)), 3)


@pytest.mark.parametrize("channels", [(1, 0), (0, 0), (-1,), (0.0,), (True,), "0", None])
def test_channels_that_are_no_subset_are_refused(channels: object):
    with pytest.raises(ValueError, match=r"^Sampling\.channels must be a tuple of different channels"):
        Sampling(channels=channels)  # pyright: ignore[reportArgumentType]


def test_a_list_does_as_well_as_a_tuple():
    listed = Sampling(channels=[0, 1], centre=[1.0, 0.0])  # pyright: ignore[reportArgumentType]
    assert listed == Sampling(channels=(0, 1), centre=(1.0, 0.0))
    assert hash(Partial(LinearSpiral(), channels=[1])) == hash(Partial(LinearSpiral(), channels=(1,)))  # pyright: ignore[reportArgumentType]


# Starts


def test_only_training_starts_about_the_centre_where_forecasts_start_elsewhere(clean: Dataset):
    about = {"centre": (3.0, 4.0), "spread": 0.0}
    centred = sample(LinearSpiral(), replace(SMALL, **about, elsewhere=True), 3)
    assert (centred.train.states[:, 0] == torch.tensor([3.0, 4.0])).all()
    for part in ("valid", "test", "climate"):
        assert torch.equal(getattr(centred, part).states, getattr(clean, part).states)
    (start,) = sample(Retraced(LinearSpiral()), replace(SMALL, **about, elsewhere=True), 3).test.states[:, 0]
    assert start.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("system", [StochasticLorenz(), RandomSpirals()], ids=str)
def test_systems_with_paths_of_their_own_start_where_the_protocol_says(system: System):
    about = replace(SMALL, centre=(1.0, 2.0, 3.0)[: system.dim], spread=0.0)
    for part in ("train", "valid", "test", "climate"):
        centred = system.observe(part, about, 3).states[:, 0]
        assert (centred == torch.tensor(about.centre)).all()
        elsewhere = system.observe(part, replace(about, elsewhere=True), 3).states[:, 0]
        drawn = system.observe(part, SMALL, 3).states[:, 0]
        assert torch.equal(elsewhere, centred if part == "train" else drawn)


def test_a_sweep_of_the_protocol_does_not_promise_what_a_system_decides_itself(tmp_path: Path):
    path = tmp_path / "a.npz"
    times = np.arange(0.0, 80.0, 0.1)
    np.savez(path, times=times, states=np.stack([np.sin(times), np.cos(times)], axis=-1))
    recorded = Recorded(str(path), timescale=6.28)
    for change in (("step", 0.5), ("samples", 30), ("trajectories", 3)):
        with pytest.raises(ValueError, match=rf"has Sampling.{change[0]}=.*whatever is asked for: it cannot be"):
            Under(recorded, (change,)).adapt(SMALL, 0)
    with pytest.raises(ValueError, match=r"has Sampling.step="):
        Under(HenonMap(), (("step", 1e-3),)).adapt(SMALL, 0)
    assert Under(HenonMap(), (("samples", 30),)).adapt(SMALL, 0).samples == 30
    irregular = Under(Irregular(LinearSpiral()), (("jitter", 0.1),)).adapt(SMALL, 0)
    assert (irregular.jitter, irregular.dropped) == (0.1, Irregular(LinearSpiral()).dropped)


def test_what_cannot_be_observed_at_irregular_times_is_refused_before_it_is(tmp_path: Path):
    path = tmp_path / "a.npz"
    late = np.maximum(np.arange(200.0) - 190, 0)  # it rests while there is something to learn from
    np.savez(path, times=np.arange(200.0), states=np.stack([np.sin(np.arange(200.0)), late], axis=-1))
    recorded = Recorded(str(path), timescale=6.28)
    with pytest.raises(ValueError, match="the times of a recording are its own"):
        Irregular(recorded).adapt(SMALL, 0)
    with pytest.raises(ValueError, match="is a map, without states between its steps"):
        Irregular(HenonMap()).adapt(SMALL, 0)
    short = replace(SMALL, context=4, horizon=1.0)
    assert Partial(recorded, channels=(0,)).adapt(short, 0).channels == (0,)  # the other one never changes
    with pytest.raises(ValueError, match="never changes"):
        recorded.adapt(short, 0)


def test_a_notebook_shows_how_long_irregular_trajectories_are(clean: Dataset):
    data = sample(Irregular(LinearSpiral()), SMALL, 3)
    spans = (data.train.times[:, -1] - data.train.times[:, 0]) / data.system.timescale
    assert f"{spans.max().item():.3g}"[:4] in data._repr_html_()


def test_the_first_sample_of_each_trajectory_may_be_exact(clean: Dataset):
    noisy = sample(LinearSpiral(), replace(SMALL, error=0.1, exact_start=True), 3)
    for part in ("train", "valid", "test", "climate"):
        found, exact = (getattr(data, part).states for data in (noisy, clean))
        assert torch.equal(found[:, 0], exact[:, 0])
        assert not torch.equal(found[:, 1], exact[:, 1])
    with pytest.raises(ValueError, match=r"^Sampling\.exact_start must be True or False, but is 1$"):
        Sampling(exact_start=1)  # pyright: ignore[reportArgumentType]


# Bad values


def refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^Sampling\.{name} must be ") as caught:
        Sampling(**{name: value})  # pyright: ignore[reportArgumentType]
    assert str(caught.value).endswith(f"but is {value!r}")


@given(st.sampled_from(WHOLE), st.integers(max_value=0) | st.floats() | st.booleans() | st.text() | st.none())
def test_a_count_that_is_not_a_positive_whole_number_is_refused_by_name(name: str, value: object):
    refused(name, value)


@given(
    st.sampled_from(REAL),
    st.floats(max_value=-1e-300) | st.sampled_from([inf, nan]) | st.booleans() | st.text() | st.just([0.1]),
)
def test_a_length_that_is_not_a_positive_number_is_refused_by_name(name: str, value: object):
    refused(name, value)


@given(st.sampled_from(sorted({*REAL} - {"noise", "error", "spread"})), st.sampled_from([0, 0.0, -0.0]))
def test_a_length_of_nothing_is_refused_by_name(name: str, value: float):
    refused(name, value)


@given(st.sampled_from(FRACTIONS), st.floats(min_value=1) | st.floats(max_value=-1e-9) | st.just(nan))
def test_a_fraction_is_from_nothing_to_less_than_all(name: str, value: float):
    with pytest.raises(
        ValueError, match=rf"^Sampling\.{name} must be a finite number of at least 0 and below 1, but is"
    ):
        Sampling(**{name: value})  # pyright: ignore[reportArgumentType]


def test_two_samples_are_too_few():
    with pytest.raises(ValueError, match=r"^Sampling\.samples must be a whole number of at least 3, but is 2$"):
        Sampling(samples=2)


@given(
    st.builds(
        Sampling,
        **{name: st.integers(3, 10**6) for name in WHOLE},
        **{name: st.floats(1e-3, 1e3) | st.integers(1, 100) for name in REAL},
    )
)
def test_positive_values_are_taken_as_they_are(sampling: Sampling):
    assert sampling.forecast_samples >= 1
    assert sampling.climate_samples >= 1
    assert abs(sampling.forecast_samples * sampling.step - sampling.horizon) <= max(
        sampling.step, sampling.horizon * 1e-9
    )
