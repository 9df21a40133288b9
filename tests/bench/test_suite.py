"""Suites: what they refuse, how they are found, what a selection keeps, and what a manifest says."""

import json
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.catalogue.suites import suites
from bench.cells.classifying import ImageCell
from bench.cells.key import Planned
from bench.errors import UserError
from bench.planning.manifest import manifest
from bench.planning.selection import select
from bench.suite import Suite, load
from learners import MLPClassifier, NeuralODE, Persistence, ResNet, ResNetClassifier, TrainingMean, WindowedRNN
from metrics import nfe_forward, nrmse, test_error, vpt
from results.store.run import Run
from results.store.store import Store
from systems import Digits, ImageSampling, Lorenz, Lorenz96, Rossler, Sampling
from systems.configuration import label
from systems.observation import Irregular, Partial

SUITE = Suite(
    name="toy",
    description="A toy.",
    systems=(Rossler(), Lorenz(), Lorenz(rho=35.0)),
    learners=(WindowedRNN("rnn"), WindowedRNN(), WindowedRNN("lstm", hidden=32), NeuralODE(lookahead=2), Persistence()),
    metrics=(vpt, nrmse),
)
SOURCE = """
from bench.suite import Suite
from learners import Persistence
from metrics import vpt
from systems import Lorenz, Sampling
"""


def labels(components):
    return [label(component) for component in components]


def chosen(*learners):
    return labels(select(SUITE, (), learners).learners)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a suite's file that can be imported under its own name, which is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def written(name: str, text: str) -> str:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return str(path)

    yield written
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == tmp_path:
            del sys.modules[name]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "no/slash"}, "is 'no/slash'"),
        ({"name": ".hidden"}, "is '.hidden'"),
        ({"name": "cells"}, "and not cells or damaged or"),
        ({"systems": ()}, "toy.systems needs at least one system, but is ()"),
        ({"systems": Lorenz()}, "toy.systems is one system, not several: write it as a tuple"),
        ({"systems": (Lorenz,)}, "toy.systems holds the class Lorenz: write Lorenz()"),
        ({"learners": (Persistence(), 3)}, "toy.learners holds 3, which is no learner"),
        ({"systems": (Lorenz(), Lorenz())}, "toy.systems holds Lorenz twice"),
        ({"metrics": (vpt, vpt)}, "toy.metrics holds vpt twice"),
        ({"seeds": 0}, "at least one seed, but toy has seeds=0"),
        ({"data_seed": -1}, "must not be negative, but toy has data_seed=-1"),
    ],
)
def test_a_suite_that_could_not_run_is_refused(change, complaint):
    with pytest.raises((ValueError, TypeError)) as refusal:
        replace(SUITE, **change)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "stranger"),
    [
        ({"systems": (Digits(),)}, "Digits is for classification, but WindowedRNN[cell=rnn] is for forecasting"),
        ({"systems": (Lorenz(), Digits())}, "Lorenz is for forecasting, but Digits is for classification"),
        ({"learners": (MLPClassifier(),)}, "Rossler is for forecasting, but MLPClassifier is for classification"),
        ({"metrics": (vpt, test_error)}, "Rossler is for forecasting, but test_error is for classification"),
        ({"sampling": ImageSampling()}, "Rossler is for forecasting, but ImageSampling is for classification"),
    ],
)
def test_a_suite_that_mixes_families_is_refused(change, stranger):
    with pytest.raises(TypeError) as refusal:
        replace(SUITE, **change)
    assert str(refusal.value) == f"toy mixes families: {stranger}; make a suite of each"


def test_a_suite_of_image_sets_has_cells_of_its_own_kind():
    metrics = (test_error, nfe_forward)
    learners = (MLPClassifier(), ResNetClassifier())
    suite = Suite("toy", "", (Digits(),), learners, metrics, ImageSampling(crop=1))
    cells = suite.cells("quick")
    assert [(type(cell), cell.learner_label, cell.sampling.crop) for cell in cells] == [
        (ImageCell, "MLPClassifier", 1),
        (ImageCell, "ResNetClassifier", 1),
    ]
    assert labels(select(suite, (), ["ResNetClassifier[blocks=2]"]).learners) == [
        "ResNetClassifier[blocks=2]",
        "MLPClassifier",
    ]


def test_cells_are_the_grid_system_by_system():
    cells = SUITE.cells("quick", "cuda")
    assert [(label(cell.system), label(cell.learner)) for cell in cells] == [
        (system, learner) for system in labels(SUITE.systems) for learner in labels(SUITE.learners)
    ]
    assert {(cell.seeds, cell.budget.effort, cell.device) for cell in cells} == {((0, 1, 2), 0.1, "cuda")}


def test_learners_of_a_suite_may_spend_alike():
    suite = replace(SUITE, equal="updates", allowance=4_000)
    budgets = {cell.budget for cell in suite.cells("quick")}
    assert [(one.equal, one.updates(15_000), one.updates(1_000)) for one in budgets] == [("updates", 400, 400)]
    (own,) = {cell.budget for cell in SUITE.cells("quick")}
    assert (own.updates(15_000), own.updates(1_000)) == (1_500, 100)


def test_what_learners_spend_alike_is_in_the_manifest_and_the_captions():
    def said(suite: Suite) -> str:
        cells = [Planned(cell, f"k{place}", Path(), {}) for place, cell in enumerate(suite.cells("quick"))]
        return Run(Path(), manifest(suite, cells, "quick", {"command": ""}), Store(Path())).conditions

    assert said(SUITE) == "n = 128 test cases, 3 seeds, budget quick."
    for equal, words in (("updates", "updates"), ("nfe", "function evaluations"), ("seconds", "seconds")):
        expected = f"budget quick, 400 {words} of training for every learner and seed."
        assert said(replace(SUITE, equal=equal, allowance=4_000)).endswith(expected)


@pytest.mark.parametrize("change", [{"equal": "updates"}, {"allowance": 3.0}, {"equal": "nfe", "allowance": -1.0}])
def test_an_allowance_is_of_something_and_the_other_way_round(change):
    with pytest.raises(ValueError, match=r"positive allowance of what is equal \(updates, nfe, seconds\), or neither"):
        replace(SUITE, **change)


def test_an_unknown_budget_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="unknown budget 'quik': did you mean quick"):
        SUITE.cells("quik")


def test_naming_nothing_keeps_everything():
    assert select(SUITE, (), ()) == SUITE


def test_a_class_name_keeps_every_component_of_that_class_in_the_order_of_the_suite():
    assert chosen("NeuralODE", "WindowedRNN", "Persistence") == labels(SUITE.learners)


def test_reference_rows_stay_unless_some_are_named():
    references = (Persistence(), TrainingMean())
    suite = replace(SUITE, learners=(references[0], NeuralODE(), references[1], WindowedRNN()))
    assert labels(select(suite, (), ["WindowedRNN"]).learners) == ["WindowedRNN", "Persistence", "TrainingMean"]
    assert labels(select(suite, (), ["WindowedRNN", "TrainingMean"]).learners) == ["TrainingMean", "WindowedRNN"]


def test_a_label_keeps_the_very_component():
    assert chosen("WindowedRNN[cell=rnn]") == ["WindowedRNN[cell=rnn]", "Persistence"]
    assert chosen("WindowedRNN[hidden=32, cell='lstm']") == ["WindowedRNN[cell=lstm,hidden=32]", "Persistence"]


def test_overrides_change_the_component_of_the_suite_and_take_its_place():
    assert chosen("Persistence", "NeuralODE[width=8]") == ["NeuralODE[lookahead=2,width=8]", "Persistence"]


def test_overrides_of_several_change_the_one_nearest_to_the_defaults():
    assert chosen("WindowedRNN[hidden=16]") == ["WindowedRNN[hidden=16]", "Persistence"]
    assert labels(select(SUITE, ["Lorenz[sigma=5]"], ()).systems) == ["Lorenz[sigma=5.0]"]


def test_an_override_that_equals_a_component_of_the_suite_is_that_component():
    assert chosen("WindowedRNN[cell=gru]", "Persistence", "WindowedRNN[cell=gru]") == ["WindowedRNN", "Persistence"]


def test_what_the_suite_lacks_comes_from_its_package_and_last():
    assert chosen("ResNet", "Persistence") == ["Persistence", "ResNet"]
    assert labels(select(SUITE, ["Lorenz96[sites=5]", "Lorenz"], ()).systems) == [
        "Lorenz",
        "Lorenz[rho=35.0]",
        "Lorenz96[sites=5]",
    ]


def test_an_unknown_name_is_refused_with_the_nearest_of_suite_and_package():
    with pytest.raises(UserError, match=r"unknown learner 'WindowRNN': did you mean WindowedRNN\?"):
        select(SUITE, (), ["WindowRNN"])


def test_the_rest_of_the_suite_survives_a_selection():
    kept = select(SUITE, ["Rossler"], ["ResNet[blocks=1]"])
    assert kept == replace(SUITE, systems=(Rossler(),), learners=(ResNet(blocks=1), Persistence()))


def test_a_users_file_is_a_suite(write):
    path = write("my_own_suite", f'{SOURCE}suite = Suite("mine", "", (Lorenz(),), (Persistence(),), (vpt,), seeds=2)')
    suite = load(path)
    assert (suite.name, suite.seeds, suite.systems) == ("mine", 2, (Lorenz(),))
    assert load(path) is suite


def test_every_suite_of_the_package_states_how_its_settings_were_found():
    for name, entry in suites().items():
        assert "Settings " in (import_module(f"bench.suites.{name}").__doc__ or ""), entry


@pytest.mark.parametrize("tuned_on", [name for name in suites() if name.startswith("held_out")])
def test_settings_are_tuned_on_what_no_comparison_shows(tuned_on: str):
    tuned_on_it = load(tuned_on)
    for shown in (load(name) for name in suites() if "held_out" not in name):
        assert not set(shown.systems) & set(tuned_on_it.systems), shown.name
        assert shown.data_seed != tuned_on_it.data_seed, shown.name


@pytest.mark.parametrize("name", ["VanDerPol", "VanDerPol[mu=0.5]"])
def test_a_system_with_other_parameters_is_observed_as_the_suite_does(name: str):
    (whole,) = (system for system in load("mechanistic").systems if type(system).__name__ == "VanDerPol")
    protocols: dict[Any, Sampling] = dict(load("mechanistic").own)
    chosen = select(load("mechanistic"), [name], ())
    (sampling,) = {cell.sampling for cell in chosen.cells()}
    assert (sampling.step, sampling.trajectories) == (protocols[whole].step, protocols[whole].trajectories)
    assert sampling != chosen.sampling


def test_the_suites_of_the_package_are_found_by_name():
    assert load("smoke").name == "smoke"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (
            "negative_step",
            "\nSampling(step=-0.02)",
            "negative_step.py, line 7: Sampling.step must be",
        ),
        ("wrong_name", "Suit()", "wrong_name.py, line 6: NameError: name 'Suit' is not defined"),
        ("no_suite", "", "no_suite.py defines no suite: write `suite = Suite(...)`"),
        ("missing_import", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_a_file_that_gives_no_suite_is_refused_with_the_place_and_the_remedy(write, name, text, complaint):
    path = write(name, SOURCE + text)
    with pytest.raises(UserError) as refusal:
        load(path)
    assert complaint in str(refusal.value)


def test_a_file_may_be_given_by_a_relative_path(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("relative_suite", f"{SOURCE}1 / 0")
    with pytest.raises(UserError) as refusal:
        load("relative_suite.py")
    assert str(refusal.value).endswith("relative_suite.py, line 6: ZeroDivisionError: division by zero")


def test_a_manifest_says_what_a_run_consists_of_in_order():
    suite = replace(SUITE, systems=(Lorenz(), Lorenz96(sites=5)), learners=(WindowedRNN("rnn"), Persistence()))
    cells = suite.cells("paper")
    keyed = [Planned(cell, key, Path(), {}) for key, cell in zip("abcd", cells, strict=True)]
    found = manifest(suite, keyed, "paper", {"command": "python -m bench run", "cores": 2})
    assert json.loads(json.dumps(found)) == found
    assert found["suite"] == "toy"
    assert (found["budget"], found["command"], found["seeds"], found["data_seed"]) == (
        "paper",
        "python -m bench run",
        [0, 1, 2],
        0,
    )
    assert found["systems"] == ["Lorenz", "Lorenz96[sites=5]"]
    assert found["system_settings"] == [
        {"label": "Lorenz", "class": "Lorenz", "settings": {}},
        {"label": "Lorenz96[sites=5]", "class": "Lorenz96", "settings": {"sites": 5}},
    ]
    assert found["learners"] == [
        {"label": "WindowedRNN[cell=rnn]", "configuration": "WindowedRNN[cell=rnn]", "reference": False}
        | {"class": "WindowedRNN", "settings": {"cell": "rnn"}},
        {"label": "Persistence", "configuration": "Persistence", "reference": True}
        | {"class": "Persistence", "settings": {}},
    ]
    assert found["metrics"][0] == {"name": "vpt", "unit": vpt.unit, "better": "higher", "about": vpt.about} | {
        "group": "forecast"
    }
    assert found["sampling"]["step"] == Sampling().step
    assert found["cells"][1] == {"key": "b", "system": "Lorenz", "learner": "Persistence"}
    assert found["environment"]["cores"] == 2


def test_learners_that_repeat_a_publication_are_marked_so():
    suite = replace(SUITE, learners=(NeuralODE(), ResNet(), Persistence()), published=(NeuralODE(), WindowedRNN()))
    keyed = [Planned(cell, "key", Path(), {}) for cell in suite.cells()]
    found = manifest(suite, keyed, "standard", {"command": ""})
    names = ["NeuralODE (as published)", "ResNet", "Persistence"]
    assert [one["label"] for one in found["learners"]] == names
    assert [one["configuration"] for one in found["learners"]] == ["NeuralODE", "ResNet", "Persistence"]
    assert [one["learner"] for one in found["cells"]][:3] == names


@pytest.mark.parametrize("name", sorted(suites()))
def test_a_suite_shows_boundedness_beside_long_runs_and_where_prediction_times_end(name: str):
    measured = {metric.name: metric.group for metric in load(name).metrics}
    if "long run" in measured.values():
        assert "unbounded_fraction" in measured
    if "vpt" in measured:
        assert "vpt_capped" in measured


def test_convolutions_are_given_to_rings_alone_and_are_no_part_of_a_run_without_one(tmp_path):
    fields = NeuralODE(network="convolution"), ResNet(network="convolution")
    suite = replace(SUITE, systems=(Lorenz(), Lorenz96(sites=6)), learners=(NeuralODE(), *fields, Persistence()))
    pairs = {(label(cell.system), label(cell.learner)) for cell in suite.cells()}
    assert len(pairs) == 6
    assert ("Lorenz", label(fields[0])) not in pairs
    for narrowed, count in ((suite, 4), (select(suite, ["Lorenz"], ()), 2)):
        cells = [Planned(cell, str(place), tmp_path, {}) for place, cell in enumerate(narrowed.cells())]
        described = manifest(narrowed, cells, "standard", {"command": ""})
        assert len(described["learners"]) == count
        assert described.get("lacks", {}) == ({"Lorenz": labels(fields)} if count == 4 else {})


def test_sites_that_are_observed_in_part_are_no_ring():
    assert Irregular(Lorenz96()).ring
    assert not Partial(Lorenz96()).ring


def test_convolutions_that_are_asked_for_where_nothing_is_a_ring_are_refused(tmp_path):
    texts = ["ResNet", "NeuralODE[network=convolution]"]
    with pytest.raises(UserError, match=r"^NeuralODE\[.*network=convolution\] is for .* only Lorenz; of"):
        select(SUITE, ["Lorenz[rho=28]"], texts)
    assert len(select(SUITE, ["Lorenz", "Lorenz96"], texts).learners) == 3
    with pytest.raises(UserError, match="ring"):
        bench.run(SUITE, systems=["Rossler"], learners=[NeuralODE(network="convolution")], out=tmp_path)
