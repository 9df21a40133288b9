"""Bench from Python: one model, its scores, a run, and the models that it has kept."""

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bench
from bench.errors import UserError
from bench.suite import Suite
from learners import Budget, NeuralODE, Persistence, ResNet, Training
from metrics import nrmse, vpt
from results import StoreVersionError
from systems import Certificate, Check, Dataset, LinearSpiral, Recorded, Sampling, sample

SMALL = Sampling(trajectories=4, samples=50, valid=2, test=4, climate=1, horizon=1.0, climate_horizon=4.0)
BRIEF = NeuralODE(width=8, depth=1, training=Training(updates=20, validations=2))
SUITE = Suite("small", "", (LinearSpiral(),), (BRIEF, Persistence()), (nrmse, vpt), SMALL, seeds=2)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return sample(LinearSpiral(), SMALL, 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> bench.Run:
    return bench.run(SUITE, out=tmp_path_factory.mktemp("runs"))


def test_one_call_fits_one_model_which_goes_on_by_itself(data: Dataset):
    model = BRIEF.fit(data)
    (same,) = BRIEF.fit_replicas(data, Budget(), [0])
    past = data.test.between(0, data.sampling.context)
    step = data.step * torch.arange(1, 4, dtype=torch.float64)
    forecast = model.forecast_after(past, step)
    assert torch.equal(forecast.states, same.forecast(past, past.times[:, -1:] + step).states)
    long = model.simulate(25)
    assert long.states.shape == (1, 25, 2)
    torch.testing.assert_close(long.states[:, :3], forecast.states[:1])
    with pytest.raises(ValueError, match="give simulate the past and the step"):
        same.simulate(25)


def test_nothing_is_written_into_a_store_of_another_version(tmp_path: Path):
    (tmp_path / "store.json").write_text('{"version": 2}')
    with pytest.raises(StoreVersionError, match="a store of version 2, but this program reads version 1"):
        bench.run(SUITE, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["store.json"]


def test_scores_are_those_of_a_run_of_the_same_fit(run: bench.Run, data: Dataset):
    found = bench.evaluate(BRIEF.fit(data, seed=1), data, (nrmse, vpt))
    frame = run.frame
    here = frame.loc[(frame["learner"] == run.stored.learners[0]) & (frame["seed"] == 1)].set_index("metric")["value"]
    assert list(found.index) == ["nrmse", "vpt"]
    np.testing.assert_allclose(found["nrmse"], here["nrmse"], rtol=1e-4)


def test_a_run_has_its_tables_and_figures_and_gives_its_models_back(run: bench.Run, data: Dataset, tmp_path: Path):
    learner = run.stored.learners[0]
    assert list(run.leaderboard().index) == [learner, "Persistence"]
    assert "error_growth" in run.figures
    assert run.figure("error_growth").axes
    with pytest.raises(UserError, match="unknown figure 'error'"):
        run.figure("error")
    loaded = bench.Run.load(run.stored.folder)  # which builds cells from what they have kept
    model, fitted = loaded.model("LinearSpiral", learner, seed=1), BRIEF.fit(data, seed=1)
    assert model.weights().keys() == fitted.weights().keys()
    for name, values in model.weights().items():
        torch.testing.assert_close(values, fitted.weights()[name])
    kept = loaded.stored.store.weights(loaded.stored.finished[0].key)  # with the scales, to be of use elsewhere
    np.testing.assert_array_equal(kept["1.scales.mean"], data.mean)
    np.testing.assert_array_equal(kept["1.scales.std"], data.std)
    assert run.report().name == "report.html"
    kept = tmp_path / "figures" / "of_mine.png"
    kept.parent.mkdir()
    kept.touch()
    assert run.report(tmp_path) == tmp_path / "report.html"
    assert (tmp_path / "report.html").stat().st_size > 1e5
    assert kept.exists()


def test_parts_of_a_suite_are_named_or_made_here(tmp_path: Path):
    mine = ResNet(width=8, training=Training(updates=5, validations=1))
    found = bench.run(SUITE, systems=[LinearSpiral(damping=0.3)], learners=[mine], seeds=1, out=tmp_path)
    assert found.stored.systems == ["LinearSpiral[damping=0.3]"]
    assert [name.partition("[")[0] for name in found.stored.learners] == ["ResNet", "Persistence"]
    assert "2 of 2 cells, 1 seeds" in repr(found)
    assert "<table" in found._repr_html_()


def test_numbers_of_numpy_are_swept_and_what_was_asked_for_is_kept(tmp_path: Path):
    found = bench.run(
        "smoke", systems=["LinearSpiral"], learners=["Persistence"], seeds=1, out=tmp_path, jobs=1,
        sweep={"Sampling.noise": np.linspace(0, 0.1, 2)},
    )  # fmt: skip
    asked = found.stored.manifest["asked"]
    assert (asked["systems"], asked["learners"]) == (["LinearSpiral"], ["Persistence"])
    assert asked["sweeps"] == ["Sampling.noise=0.0,0.1"]
    with pytest.raises(UserError, match="seeds must be at least 1, but is 0"):
        bench.run("smoke", seeds=0, out=tmp_path)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"suite": LinearSpiral()}, r"suite is a name, the path of a file as text, or a Suite, but is LinearSpiral"),
        ({"systems": "LinearSpiral"}, r"systems takes several .*: write systems=\['LinearSpiral'\]"),
        ({"systems": LinearSpiral()}, r"systems takes several in a list, but is LinearSpiral"),
        ({"learners": BRIEF}, r"learners takes several in a list, but is NeuralODE"),
        ({"sweep": {"Sampling.noise": 0.1}}, r"sweep\['Sampling.noise'\] takes several .*=\[0.1\]"),
        ({"sweep": {"Sampling.noise": "0,0.1"}}, r"sweep\['Sampling.noise'\] takes several"),
        ({"seeds": "3"}, "seeds is a whole number, such as 3, but is '3'"),
        ({"seeds": [0, 1]}, r"seeds is a whole number, such as 3, but is \[0, 1\]"),
        ({"jobs": 1.5}, "jobs is a whole number, such as 3, but is 1.5"),
        ({"jobs": 0}, "--jobs must be at least 1, but is 0"),
        ({"budget": "quik"}, "unknown budget 'quik': did you mean quick"),
    ],
)
def test_what_cannot_be_run_is_said_in_one_line_and_leaves_nothing(given: dict, complaint: str, tmp_path: Path):
    with pytest.raises(UserError, match=complaint) as error:
        bench.run(**{"suite": SUITE, "out": tmp_path / "runs"} | given)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "runs").exists()


def test_parts_of_a_suite_that_are_none_are_named(tmp_path: Path):
    given: Any
    for given in ({"learners": [3]}, {"systems": [3]}):
        with pytest.raises(TypeError, match=rf"small.{next(iter(given))} holds 3, which is no"):
            bench.run(SUITE, out=tmp_path / "runs", **given)
    assert not (tmp_path / "runs").exists()


def test_what_cannot_be_evaluated_is_said_with_the_remedy(data: Dataset):
    model = Persistence().fit(data)
    given: Any
    for given, complaint in (
        ((Persistence(), data), r"Persistence\(\) is a learner: write Persistence\(\).fit\(data\)"),
        ((model, data.test), r"evaluate takes a dataset, as sample\(system\) gives it, but is given Trajectories"),
        ((model, data, nrmse), r"metrics takes several in a list"),
        ((model, data, ["nrmse"]), r"metrics holds 'nrmse', which is no metric"),
    ):
        with pytest.raises(UserError, match=complaint):
            bench.evaluate(*given)


def test_a_full_disk_is_told_in_notebooks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bench.interface._is_notebook", lambda: True)
    monkeypatch.setattr("bench.interface.needs_main", lambda cell: True)
    monkeypatch.setattr("bench.interface._run_here", fail)
    with pytest.raises(UserError, match=r"cannot write to .*: .*No space left on device; what is finished"):
        bench.run(SUITE, out=tmp_path)


def test_what_is_printed_of_anything_is_short(data: Dataset, run: bench.Run):
    for one in (data, data.train, BRIEF.fit(data), run, SUITE):
        assert len(repr(one)) < 160
        assert "tensor" not in repr(one)
    assert repr(data) == (
        f"Dataset(LinearSpiral, seed 0, step {data.step:.4g}, 2 channels; train 4x50, valid 2x50, test 4x"
        f"{data.test.states.shape[1]}, climate 1x{data.climate.states.shape[1]})"
    )


def test_notebooks_show_tables_of_anything(data: Dataset):
    certificate = Certificate(
        "X", (Check("error < 1", 0.25, 0.0, 0.5, "theory"), Check("sum", 1.0, 0.0, 0.5, "theory"))
    )
    shown = [one._repr_html_() for one in (data, data.train, BRIEF.fit(data), SUITE, certificate)]
    for html in shown:
        assert html.count("<table") == html.count("</table>") == 1
        assert html.count("<tr>") == html.count("</tr>") > 1
        assert "tensor" not in html
    assert "<td>climate</td><td>1</td>" in shown[0]
    assert f"<td>{data.train.states[..., 1].max().item():.4g}</td></tr></table>" in shown[1]
    assert "<td>error &lt; 1</td><td>0.25</td><td>0</td><td>theory</td><td>pass</td>" in shown[-1]
    assert "<td>FAIL</td>" in shown[-1]


def test_a_system_is_sampled_by_the_standard_protocol_unless_another_is_given():
    data = sample(LinearSpiral())
    assert (data.sampling, data.seed) == (Sampling(), 0)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_written_as_a_table_comes_back_to_the_last_bit(data: Dataset, kind: str, tmp_path: Path):
    frame = bench.to_frame(data.train, ["position", "speed"])
    assert list(frame) == ["trajectory", "time", "position", "speed"]
    path = tmp_path / f"train.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    recording = Recorded(str(path)).recording
    assert list(recording.channels) == ["position", "speed"]
    for one, states in zip(recording.trajectories, data.train.states.numpy(), strict=True):
        np.testing.assert_array_equal(one.states, states)


def test_importing_bench_takes_no_torch():
    code = "import sys, bench; assert 'torch' not in sys.modules; assert bench.run; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        bench.nothing  # noqa: B018


MINE = """
from dataclasses import dataclass
import bench
from learners import Persistence
@dataclass(frozen=True)
class Mine(Persistence):
    pass
found = bench.run("smoke", systems=["LinearSpiral"], learners=[Mine()], seeds=1)
print(found.leaderboard().index.tolist()[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["mine.py"], ["-c", MINE]], ids=["script", "notebook"])
def test_a_learner_that_is_made_where_it_is_run_needs_no_guard(arguments: list[str], tmp_path: Path):
    (tmp_path / "mine.py").write_text(MINE)
    done = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "Mine", done.stderr
