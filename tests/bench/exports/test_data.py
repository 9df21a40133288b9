"""Data for other programs: what is written as a table or as labelled arrays comes back to the last bit."""

from pathlib import Path

import numpy as np
import pytest
import torch

import bench
from bench.errors import UserError
from systems import Dataset, LinearSpiral, Lorenz, Recorded, Sampling, sample
from systems.protocol import PARTS

SAMPLING = Sampling(
    trajectories=3, samples=40, valid=2, test=4, context=8, horizon=0.5, climate=2, climate_horizon=0.7, noise=0.01
)
PLAIN = Sampling(trajectories=3, samples=40, valid=2, test=4, context=8, horizon=0.5, climate=2, climate_horizon=0.7)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(Lorenz(), SAMPLING, seed=3)


def save(data: Dataset, path: Path) -> None:
    if path.suffix == ".nc":
        pytest.importorskip("xarray")
        bench.to_xarray(data).to_netcdf(path)
    elif path.suffix == ".parquet":
        bench.to_frame(data).to_parquet(path)
    else:
        bench.to_frame(data).to_csv(path, index=False)


@pytest.mark.parametrize("kind", ["csv", "parquet", "nc"])
def test_a_saved_dataset_comes_back_to_the_last_bit_with_all_of_its_parts(data: Dataset, kind: str, tmp_path: Path):
    path = tmp_path / f"lorenz.{kind}"
    save(data, path)
    again = sample(Recorded(str(path), timescale=Lorenz().timescale), PLAIN, seed=0)
    for part in PARTS:
        saved, read = getattr(data, part), getattr(again, part)
        assert torch.equal(saved.states, read.states)
        assert torch.equal(saved.times, read.times)
    assert (again.step, again.sampling.test) == (data.step, 4)


def test_a_table_of_a_dataset_says_which_part_a_sample_is_of(data: Dataset):
    frame = bench.to_frame(data)
    assert list(frame) == ["part", "trajectory", "time", "x1", "x2", "x3"]
    assert frame.groupby("part")["trajectory"].nunique().to_dict() == {"train": 3, "valid": 2, "test": 4, "climate": 2}


def test_arrays_are_labelled_and_say_what_they_are_of(data: Dataset):
    pytest.importorskip("xarray")
    tree = bench.to_xarray(data)
    assert set(tree.children) == set(PARTS)
    assert (tree.attrs["system"], tree.attrs["context"], tree.attrs["step"]) == ("Lorenz", 8, data.step)
    states = tree["train/states"]
    assert states.dims == ("trajectory", "time", "channel")
    np.testing.assert_array_equal(states.sel(channel="x2"), data.train.states[..., 1])
    named = bench.to_xarray(data.test, ["u", "v", "w"])
    assert named["channel"].values.tolist() == ["u", "v", "w"]


def test_names_that_are_not_as_many_as_the_channels_are_told(data: Dataset):
    with pytest.raises(UserError, match=r"channels names 2, but the states have 3: give 3 names, or none"):
        bench.to_frame(data.train, ["x", "y"])


def test_trajectories_with_times_of_their_own_keep_them():
    pytest.importorskip("xarray")
    data = sample(LinearSpiral(), Sampling(trajectories=2, samples=20, valid=1, test=1, climate=1, jitter=0.5), seed=0)
    found = bench.to_xarray(data.train)
    assert found["states"].dims == ("trajectory", "sample", "channel")
    np.testing.assert_array_equal(found["time"], data.train.times)


@pytest.mark.slow
def test_arrays_are_written_as_zarr(data: Dataset, tmp_path: Path):
    pytest.importorskip("zarr")
    import xarray

    bench.to_xarray(data).to_zarr(tmp_path / "lorenz.zarr", consolidated=False)
    again = xarray.open_datatree(tmp_path / "lorenz.zarr", engine="zarr", consolidated=False)
    np.testing.assert_array_equal(again["climate/states"], data.climate.states)


def test_channels_and_the_unit_of_time_of_a_recording_are_kept(tmp_path: Path):
    times = 0.05 * np.arange(400)
    table = np.column_stack([times, np.cos(times), np.sin(times)])
    np.savetxt(tmp_path / "swing.csv", table, delimiter=",", header="seconds,angle,speed", comments="")
    swing = Recorded(str(tmp_path / "swing.csv"), timescale=6.3, time="seconds", time_unit="s")
    assert swing.timescale_name == "timescale of 6.3 s"
    one = sample(swing, Sampling(horizon=0.5, channels=(1,)), seed=0)
    assert one.channel_names == ["speed"]
    assert list(bench.to_frame(one.train, one.channel_names)) == ["trajectory", "time", "speed"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("valid", "other"), "row 122, column 'part': 'other' is none of train, valid, test, climate: write one of"),
        (("valid", "train"), "its column 'part' says 'valid' of no trajectory of more than 8 samples: record some"),
    ],
)
def test_parts_that_are_none_or_missing_are_told(
    data: Dataset, change: tuple[str, str], complaint: str, tmp_path: Path
):
    path = tmp_path / "lorenz.csv"
    frame = bench.to_frame(data)
    frame["part"] = frame["part"].replace(*change)
    frame["trajectory"] = np.arange(len(frame)) // 40 if change[1] == "train" else frame["trajectory"]
    frame["time"] = frame["time"] + (frame.index if change[1] == "train" else 0)
    frame.to_csv(path, index=False)
    with pytest.raises(ValueError, match=complaint):
        sample(Recorded(str(path)), PLAIN, seed=0)


def test_a_netcdf_file_of_something_else_is_told(tmp_path: Path):
    xarray = pytest.importorskip("xarray")
    xarray.Dataset({"other": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc")
    with pytest.raises(ValueError, match="has no variable 'states': write it with"):
        Recorded(str(tmp_path / "other.nc"))
    (tmp_path / "broken.nc").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is not a NetCDF file of"):
        Recorded(str(tmp_path / "broken.nc"))
