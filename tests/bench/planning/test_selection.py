"""What the user names of a suite: labels as reports show them, classes with some of their values."""

from dataclasses import replace
from typing import Any

import pytest

from bench.planning.selection import select
from bench.planning.sweep import sweep
from bench.suite import Suite
from bench.suites.chaos import FIELDS
from bench.suites.chaos import suite as chaos
from bench.suites.irregular import suite as irregular
from bench.suites.spiral import suite as spiral
from learners import NeuralODE, ResNet, WindowedRNN
from systems import KuramotoSivashinsky
from systems.configuration import label, short_labels


def learners(*texts: str) -> list[Any]:
    return [one for one in select(chaos, ["KuramotoSivashinsky"], texts).learners if not one.reference]


@pytest.mark.parametrize("suite", [chaos, irregular, spiral], ids=lambda suite: suite.name)
def test_what_a_report_calls_a_part_names_that_very_part(suite: Suite):
    for name, member in zip(short_labels(suite.learners), suite.learners, strict=True):
        if "[" in name:
            assert select(suite, [], [name]).learners[0] == member
    for name, member in zip(short_labels(suite.systems), suite.systems, strict=True):
        if "[" in name:
            assert select(suite, [name], []).systems == (member,)


def test_values_that_a_member_has_keep_it_and_others_change_the_plainest_one():
    (convolution,) = learners("ResNet[network=convolution]")
    assert convolution == FIELDS[1]
    (wide,) = learners("ResNet[width=33]")
    assert wide == replace(next(one for one in chaos.learners if isinstance(one, ResNet)), width=33)
    (elman,) = learners("WindowedRNN[cell=rnn]")
    assert isinstance(elman, WindowedRNN)
    assert elman in chaos.learners


def test_a_class_keeps_all_of_its_members():
    assert [type(one) for one in learners("NeuralODE")] == [NeuralODE, NeuralODE]
    assert select(chaos, ["KuramotoSivashinsky"], []).systems == (KuramotoSivashinsky(),)


def test_a_suite_does_not_say_of_learners_configured_for_a_run_what_holds_of_its_own():
    wide = select(chaos, ["Lorenz"], ["NeuralODE[width=256]", "ResNet"])
    name = next(label(one) for one in wide.learners if "width=256" in label(one))
    for own, told in ((chaos.unequal, wide.unequal), (chaos.settings, wide.settings)):
        assert told == f"{own}; but not {name}, configured for this run"
    assert select(chaos, ["Lorenz"], ["NeuralODE"]).unequal == chaos.unequal
    swept = sweep(chaos, ["NeuralODE.width=8,16,32,48"])
    assert swept.unequal.startswith(f"{chaos.unequal}; but not NeuralODE[width=8,")
    assert "more, configured for this run" in swept.settings
