"""What is put in words and names: a file name of its own for each label."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies

from results.formatting import LONGEST, slug

ALIKE = (
    ("Recorded[path=run_1.csv]", "Recorded[path=run-1.csv]"),
    ("Recorded[path=a/b.csv]", "Recorded[path=a-b.csv]"),
    ("Маятник", "Камертон"),
    ("振り子", "音叉"),
    ("VanDerPol[mu=-1]", "VanDerPol[mu=1]"),
    ("Fewer[learner=NVAR[delays=3],trajectories=1]", "Fewer[learner=NVAR[delays=3,trajectories=1]]"),
    ("[]", "[[]]"),
    ("x" * 300, "x" * 301),
    ("\udcff", "\udcfe"),
)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_labels_that_are_nearly_alike_have_files_of_their_own(one: str, other: str):
    assert slug(one) != slug(other)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Lorenz96[sites=40]", "Lorenz96-sites-40"),
        ("Recorded[path=my.csv]", "Recorded-path-my.csv"),
        ("Маятник", "Маятник"),
        ("VanDerPol[mu=-1]", "VanDerPol-mu--1"),
        ("NeuralODE[training.learning_rate=1e-05]", "NeuralODE-training.learning_rate-1e-05"),
        ("ResNet[width=64,depth=2]", "ResNet-width-64-depth-2"),
    ],
)
def test_names_of_usual_labels_can_be_guessed(label: str, name: str):
    assert slug(label) == name


@given(labels=strategies.lists(strategies.text("aB1_-.[]=,/ жλ", min_size=1), unique=True))
def test_names_are_unique_and_fit_any_folder(labels: list[str]):
    names = sorted(slug(label) for label in labels)
    assert all(one != other for one, other in pairwise(names))
    for name in names:
        assert 0 < len(name.encode()) <= LONGEST + 7
        assert not set(name) & set("/[]=, ")
        assert name[0] not in ".-"
