"""The command that shows a system: data that can be read back, pictures, mistakes that are told."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_hex

from results.figures.simulated import simulated
from systems import Recorded, VanDerPol, read_trajectories
from tests.support.commands import exit_code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    out = tmp_path_factory.mktemp("simulated")
    words = ["simulate", "VanDerPol[mu=0.5]", "-n", "3", "--until", "4", "--samples", "41", "--centre", "1,0"]
    assert exit_code([*words, "--seed", "2", "--out", str(out)]) == 0
    return out / "VanDerPol[mu=0.5]"


def test_pictures_and_data_are_written(folder):
    assert sorted(path.name for path in folder.iterdir()) == [
        f"trajectories.{kind}" for kind in ("csv", "npz", "pdf", "png", "svg")
    ]
    data = np.load(folder / "trajectories.npz")
    assert data["states"].shape == (3, 41, 2)
    np.testing.assert_allclose(data["times"][0], np.linspace(0.0, 4.0, 41), atol=1e-12)
    assert 0 < abs(data["states"][:, 0] - [1.0, 0.0]).max() < 0.5
    again = VanDerPol(mu=0.5).solve(data["states"][:, 0], data["times"])
    np.testing.assert_allclose(data["states"], again, atol=1e-12)


def test_the_table_has_the_same_numbers_and_both_can_be_read_as_recordings(folder):
    arrays, rows = (read_trajectories(folder / f"trajectories.{kind}") for kind in ("npz", "csv"))
    assert len(arrays.trajectories) == len(rows.trajectories) == 3
    for one, other in zip(arrays.trajectories, rows.trajectories, strict=True):
        np.testing.assert_array_equal(one.states, other.states)
    assert Recorded(path=folder / "trajectories.csv", timescale=6.3).dim == 2


@pytest.mark.parametrize(("until", "last"), [("7", 7.0), ("1500", 1500.0)])
def test_a_map_is_shown_for_as_long_as_asked(until: str, last: float, tmp_path: Path):
    assert exit_code(["simulate", "LogisticMap", "-n", "2", "--until", until, "--out", str(tmp_path)]) == 0
    times = np.load(tmp_path / "LogisticMap" / "trajectories.npz")["times"]
    assert (times[0, 0], times[0, -1]) == (0.0, last)


def test_what_a_recording_holds_is_shown_in_a_folder_of_its_own(tmp_path: Path):
    path, out = tmp_path / "waves.npz", tmp_path / "out"
    times = np.arange(0.0, 2000.0, 0.25)
    np.savez(path, times=times, states=np.stack([np.sin(times), np.cos(times)], axis=-1))
    name = f"Recorded[path={path},timescale=6.3]"
    assert exit_code(["simulate", name, "--out", str(out)]) == 0
    (made,) = out.iterdir()
    assert made.name.startswith("Recorded[path=")
    assert (made / "trajectories.csv").exists()
    assert exit_code(["simulate", name, "--until", "3", "--out", str(out)]) == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["Lorentz"], "did you mean Lorenz?"),
        (["MNIST"], "MNIST is a set of images, of which there are no trajectories"),
        (["Lorenz", "--centre", "1,0"], "must have 3 numbers"),
        (["Lorenz", "--centre", "a"], "--centre must be numbers with commas between them"),
        (["Lorenz", "--samples", "2"], "--samples must be at least 3"),
        (["Lorenz", "--until", "-1"], "--until must be a positive number of time units"),
    ],
)
def test_mistakes_are_told_in_one_line(words, complaint, capsys, tmp_path):
    assert exit_code(["simulate", *words, "--out", str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_each_trajectory_has_a_colour_of_its_own_by_where_it_starts():
    times = np.tile(np.linspace(0.0, 1.0, 5), (3, 1))
    states = (times + np.array([[2.0], [0.0], [1.0]]))[..., None] * np.ones(3)
    figure = simulated(times, states, "toy")
    panels = [axes for sub in figure.subfigs for axes in sub.axes]
    assert len(panels) == 3 + 4  # a time series of each channel; three planes, and space
    colours = [to_hex(line.get_color()) for line in panels[0].lines]
    assert len(set(colours)) == 3
    assert colours == [to_hex(line.get_color()) for line in panels[1].lines]
    reddest = [int(colour[1:3], 16) - int(colour[5:7], 16) for colour in colours]
    assert reddest[0] == max(reddest)
    assert reddest[1] == min(reddest)


def test_values_over_many_decades_have_a_logarithmic_axis_and_fields_are_an_image():
    times = np.tile(np.linspace(0.0, 1.0, 5), (2, 1))
    growing = simulated(times, np.exp(10 * times)[..., None], "toy")
    assert growing.axes[0].get_yscale() == "log"
    iterates = simulated(times, np.exp(10 * times)[..., None], "toy", discrete=True)
    assert iterates.axes[0].get_yscale() == "linear"
    assert {line.get_linestyle() for line in iterates.axes[0].lines} == {"None"}
    field = simulated(times, np.random.default_rng(0).standard_normal((2, 5, 8)), "toy")
    assert len(field.subfigs[0].axes) == 2  # the image and its bar
