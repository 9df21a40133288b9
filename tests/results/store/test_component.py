"""Class and settings of systems and learners, from a manifest that says them and from labels where it does not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cells.key import planned
from bench.planning.manifest import manifest
from bench.suite import Suite
from learners import NeuralODE, WindowedRNN
from learners.fewer_trajectories import Fewer
from metrics import vpt
from results.store.manifest import Component, parse_label, read_component
from systems import Lorenz
from systems.observation import Irregular

FIELD = NeuralODE(lookahead=5, training=replace(NeuralODE().training, batch=32))
LEARNERS = {
    WindowedRNN("rnn"): Component("WindowedRNN", {"cell": "rnn"}),
    Fewer(FIELD, 16): Component(
        "Fewer", {"learner": Component("NeuralODE", {"lookahead": 5, "training.batch": 32}), "trajectories": 16}
    ),
    Fewer(NeuralODE(), 1): Component("Fewer", {"learner": Component("NeuralODE", {}), "trajectories": 1}),
}
SYSTEMS = {
    Lorenz(rho=35.0): Component("Lorenz", {"rho": 35.0}),
    Irregular(Lorenz(rho=35.0)): Component("Irregular", {"system": Component("Lorenz", {"rho": 35.0})}),
}


@pytest.mark.parametrize("is_old", [False, True])
def test_class_and_settings_are_read_from_a_manifest_or_from_full_labels(is_old: bool):
    suite = Suite("toy", "A toy.", tuple(SYSTEMS), tuple(LEARNERS), (vpt,))
    cells = planned(suite.cells("standard"), Path())
    said = json.loads(json.dumps(manifest(suite, cells, "", {"command": ""})))
    for kind, expected in (("learners", LEARNERS), ("system_settings", SYSTEMS)):
        entries = [
            {name: value for name, value in entry.items() if not is_old or name not in ("class", "settings")}
            for entry in said[kind]
        ]
        assert [read_component(entry) for entry in entries] == list(expected.values())


def test_settings_are_known_where_a_label_is_too_long_to_say_them():
    learner = NeuralODE(width=48, lookahead=5, training=replace(NeuralODE().training, updates=2_000, batch=32))
    suite = Suite("toy", "A toy.", (Lorenz(),), (learner,), (vpt,))
    (entry,) = manifest(suite, planned(suite.cells("standard"), Path()), "", {"command": ""})["learners"]
    assert entry["label"] == "NeuralODE"
    found = {"width": 48, "lookahead": 5, "training.updates": 2_000, "training.batch": 32}
    assert read_component(entry) == Component("NeuralODE", found)


@pytest.mark.parametrize(
    ("label", "settings"),
    [
        ("A", {}),
        ("A[b=1e-3,c=True,d=(1, 2),e=None]", {"b": 0.001, "c": True, "d": (1, 2), "e": None}),
        (
            "A[b=gaps,c=B,d=B[e=f[g],h=(1, 2)]]",
            {"b": "gaps", "c": Component("B", {}), "d": Component("B", {"e": "f[g]", "h": (1, 2)})},
        ),
    ],
)
def test_a_label_is_read_as_numbers_words_and_classes(label: str, settings: dict):
    assert parse_label(label) == Component("A", settings)
