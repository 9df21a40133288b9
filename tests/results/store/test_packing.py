"""What is packed comes out bit by bit as it went in, forecasts of networks in a third of their bytes."""

from pathlib import Path

import numpy as np
import pytest

from bench.cells.data import dataset
from bench.cells.key import planned
from bench.cells.run import run_cell
from metrics.trajectory import nrmse, vpt
from results import Store
from results.store.packing import SMALL, pack, unpack
from systems import LinearSpiral
from tests.support import stubs

MEAN, SCALE = np.array([1e3, -0.1, 3.0]), np.array([7.9, 1e-3, 1.0])
RNG = np.random.default_rng(0)


def walks(*shape: int) -> np.ndarray:
    """Trajectories `[..., time, channel]` that are as smooth as those of systems."""
    return np.cumsum(RNG.normal(size=shape), axis=-2) / 20


def forecast_by_network(*shape: int) -> np.ndarray:
    return walks(*shape).astype(np.float32).astype(np.float64) * SCALE + MEAN


def spoiled(values: np.ndarray) -> np.ndarray:
    values[0, 5:] = np.nan
    values[1, 7, 0], values[1, 7, 1], values[1, 8, 2] = np.inf, -np.inf, -0.0
    return values


@pytest.mark.parametrize(
    "values",
    [
        forecast_by_network(8, 200, 3),
        spoiled(forecast_by_network(8, 200, 3)),
        walks(8, 200, 3),
        spoiled(walks(8, 200, 3)),
        RNG.normal(size=(40, 300)),
        RNG.normal(size=1000),
        RNG.integers(0, 2**63, size=(4, 300, 3), dtype=np.int64).view(np.float64),
        np.zeros((0, 900, 3)),
        np.arange(4000),
        RNG.normal(size=(5, 900, 3)).astype(np.float32),
        spoiled(walks(8, 200, 3).astype(np.float32)),
        np.cumsum(RNG.normal(size=2000)).astype(np.float32),
        np.array(["a", "b"] * 2000),
        np.array(3.0),
    ],
    ids=lambda values: f"{values.dtype}{values.shape}",
)
def test_arrays_come_out_as_they_went_in(values: np.ndarray):
    found = unpack(pack({"0/values": values}, MEAN, SCALE), MEAN, SCALE)
    assert list(found) == ["0/values"]
    assert (found["0/values"].dtype, found["0/values"].shape) == (values.dtype, values.shape)
    assert found["0/values"].tobytes() == values.tobytes()


def test_forecasts_of_networks_take_a_third_of_their_bytes_and_others_less_than_theirs():
    smooth = np.sin(np.linspace(0, 40, 800)[:, None] + np.linspace(0, 3, 20)).astype(np.float32)
    for values, most in ((forecast_by_network(16, 800, 3), 0.4), (walks(16, 800, 3), 0.9), (smooth, 0.5)):
        (content,) = pack({"values": values}, MEAN, SCALE).values()
        assert SMALL < content.nbytes < most * values.nbytes


def test_a_fit_keeps_nothing_that_its_data_tell_and_is_measured_also_where_they_are_gone(tmp_path: Path):
    store = Store(tmp_path)
    dataset(LinearSpiral(), stubs.TINY, 0, tmp_path / "data")
    keys = []
    for metrics in ((nrmse,), (nrmse, vpt)):
        (one,) = planned([stubs.cell(stubs.Instant(), metrics=metrics)], store.root)
        with store.stage(one.key) as folder:
            run_cell(one, store, folder)
        keys.append(one.key)
        one.data.unlink()
    (fit,) = Store(tmp_path, "fits").all_keys()
    kept = {name.rpartition("/")[2].partition("|")[0] for name in Store(tmp_path, "fits").arrays(fit)}
    assert not kept & {"truth", "climate_truth", "times", "scale"}
    assert store.holds(keys[1], "fit.json")
    first, again = (store.records(key) for key in keys)
    assert [one.measurements[0] for one in first] == [one.measurements[0] for one in again]
