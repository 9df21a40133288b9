"""Sweeps: what stands for one option on the command line, and what is refused."""

import json
from pathlib import Path

import pytest

import bench
from bench.cells.data import observe
from bench.equal_time import training_field, training_of
from bench.errors import UserError
from bench.planning.plan import plan
from bench.planning.sweep import sweep
from bench.request import Request
from bench.suite import Suite, load
from learners import NeuralODE, Persistence, ResNet, WindowedRNN
from learners.fewer_trajectories import Fewer
from metrics import nrmse
from systems import Lorenz, Sampling, VanDerPol
from systems.configuration import label

OWN = Sampling(samples=200, noise=0.5)
SUITE = Suite(
    name="swept",
    description="two systems, one of which is observed in its own way",
    systems=(Lorenz(), VanDerPol()),
    learners=(NeuralODE(), ResNet(), Persistence()),
    metrics=(nrmse,),
    sampling=Sampling(samples=100),
    own=((VanDerPol(), OWN),),
)


def test_a_field_of_the_protocol_changes_that_of_every_system_and_nothing_else_of_it():
    swept = sweep(SUITE, ["Sampling.noise=0,0.1"])
    found = {(label(cell.system), cell.sampling.samples, cell.sampling.noise) for cell in swept.cells()}
    assert found == {
        ("Lorenz under noise=0.0", 100, 0.0),
        ("Lorenz under noise=0.1", 100, 0.1),
        ("VanDerPol under noise=0.0", 200, 0.0),
        ("VanDerPol under noise=0.1", 200, 0.1),
    }
    assert len(swept.cells()) == 4 * 3


def test_several_axes_make_a_grid_and_every_place_is_told():
    swept = sweep(SUITE, ["NeuralODE.lookahead=1,5", "Training.updates=10,20,30", "Lorenz.rho=28,40"])
    assert [label(one) for one in swept.systems] == ["Lorenz", "Lorenz[rho=40.0]", "VanDerPol"]
    assert sum(isinstance(one, NeuralODE) for one in swept.learners) == 2 * 3
    assert sum(isinstance(one, ResNet) for one in swept.learners) == 3  # which has no lookahead
    places = {label(one.member): dict(one.at) for one in swept.variants}
    assert places["NeuralODE[lookahead=5,training.updates=20]"] == {"NeuralODE.lookahead": 5, "Training.updates": 20}
    assert places["Lorenz"] == {"Lorenz.rho": 28.0}
    assert "Persistence" not in places
    assert "VanDerPol" not in places


def test_what_the_system_makes_of_the_protocol_gives_way_to_what_is_swept():
    irregular = load("irregular")
    swept = sweep(irregular, ["Sampling.dropped=0,0.5"])
    assert {cell.sampling.dropped for cell in swept.cells()} == {0.0, 0.5}


def test_more_noise_comes_on_top_of_the_same_trajectories(tmp_path: Path):
    clean, noisy = (cell for cell in sweep(SUITE, ["Sampling.noise=0,0.1"]).cells() if label(cell.learner) == "ResNet"
                    and "Lorenz" in label(cell.system))  # fmt: skip
    data = [observe(cell.system, cell.sampling, 0, tmp_path).data for cell in (clean, noisy)]
    assert data[0].system == data[1].system == Lorenz()
    context = data[0].sampling.context
    assert data[0].test.states[:, context:].equal(data[1].test.states[:, context:])
    assert not data[0].train.states.equal(data[1].train.states)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Sampling.nois=0,1", "unknown field of Sampling, 'nois': did you mean noise?"),
        ("Sampling.noise=0,-1", "Sampling.noise must be a finite number of at least 0"),
        ("NeuralOde.lookahead=1,2", "did you mean NeuralODE?"),
        ("WindowedRNN.hidden=16,32", "unknown owner of a sweep 'WindowedRNN'"),
        ("Sampling.noise", "cannot read --sweep 'Sampling.noise'"),
        ("noise=1,2", "cannot read --sweep 'noise=1,2'"),
        ("Persistence.lookahead=1", "Persistence has no field to set, so not lookahead"),
        (f"Lorenz.rho={','.join(map(str, range(1001)))}", "1001 combinations of Lorenz.rho; 1000 at most"),
    ],
)
def test_what_cannot_be_swept_is_told_in_a_line(text: str, said: str):
    with pytest.raises(UserError) as found:
        sweep(SUITE, [text])
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_a_field_is_given_once_and_images_are_not_sampled_so():
    with pytest.raises(UserError, match="given twice"):
        sweep(SUITE, ["Sampling.noise=0", "Sampling.noise=1"])
    with pytest.raises(UserError, match="classifies images"):
        sweep(load("images"), ["Sampling.noise=0,1"])
    with pytest.raises(UserError, match=r"Training\.updates: nothing in"):
        sweep(Suite("still", "", (Lorenz(),), (Persistence(),), (nrmse,)), ["Training.updates=1,2"])


def test_the_command_line_writes_places_into_the_manifest_and_remembers_the_sweep(tmp_path: Path):
    request = Request("smoke", ["VanDerPol"], ["NeuralODE"], sweeps=["Sampling.trajectories=1,(2)"], out=tmp_path)
    planned = plan(request)
    assert planned.manifest["variants"] == [
        {"label": f"VanDerPol under trajectories={count}", "of": "VanDerPol", "at": {"Sampling.trajectories": count}}
        for count in (1, 2)
    ]
    assert planned.manifest["asked"]["sweeps"] == ["Sampling.trajectories=1,(2)"]
    assert json.dumps(planned.manifest)


def test_a_sweep_from_python_has_its_values_as_columns_and_its_curves_as_figures(tmp_path: Path):
    suite = Suite(
        name="tiny",
        description="",
        systems=(VanDerPol(),),
        learners=(WindowedRNN(), Persistence()),
        metrics=(nrmse,),
        sampling=Sampling(trajectories=2, samples=60, valid=1, test=4, horizon=0.5, climate=1, climate_horizon=1.0),
        seeds=1,
    )
    axes = {"WindowedRNN.window": [1, 2], "Training.updates": [2], "Sampling.noise": [0.0, 0.1]}
    run = bench.run(suite, sweep=axes, out=tmp_path, jobs=1)
    assert run.figures == [name for name in run.figures if name.startswith("sweep-")]
    assert len(run.figures) == 3
    frame = run.stored.frame_of_axes()
    found = set(zip(frame["learner"].str[:3], frame["WindowedRNN.window"], frame["Sampling.noise"], strict=True))
    assert {("Win", 1, 0.1), ("Win", 2, 0.0)} <= found
    assert frame.loc[frame["learner"] == "Persistence", "WindowedRNN.window"].isna().all()


def test_training_is_swept_of_learners_within_others():
    found = sweep(load("hybrid"), ["Training.updates=100,1000"])
    fewer = [one for one in found.learners if isinstance(one, Fewer) and training_field(one)]
    assert {training_of(one).updates for one in fewer} == {100, 1000}
    assert {dict(one.at)["Training.updates"] for one in found.variants} == {100, 1000}
