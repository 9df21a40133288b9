"""Labels: what tells the members of a suite apart, and no more where that would be long."""

from dataclasses import replace

import pytest

from learners import NeuralODE, Persistence, ResNet, Training, WindowedRNN
from systems import MNIST
from systems.configuration import describe, label, short_labels

DENSE = ResNet(blocks=1, width=256, noise=0.01, training=Training(updates=8_000))
RING = ResNet(blocks=1, network="convolution", kernel=3, noise=0.003, training=Training(updates=6_000))


def test_a_number_of_its_own_tells_a_learner_apart_before_one_of_its_training():
    far = NeuralODE(lookahead=10, training=Training(updates=1_700, batch=64))
    assert short_labels([NeuralODE(training=Training(updates=12_000)), far]) == ["NeuralODE", "NeuralODE[lookahead=10]"]


def test_kinds_are_told_and_members_of_each_by_the_first_setting_that_differs():
    tuned = replace(DENSE, blocks=4, depth=3, training=Training(learning_rate=0.03))
    wide = replace(DENSE, blocks=1, width=256, noise=0.01)
    names = ["ResNet[blocks=1]", "ResNet[blocks=4]", "ResNet[network=convolution]"]
    assert short_labels([wide, tuned, RING]) == names


def test_solvers_tell_more_of_learners_than_activations():
    tuned = NeuralODE(activation="gelu", lookahead=4, width=32, training=Training(learning_rate=0.001))
    implicit = NeuralODE(solver="rosenbrock", lookahead=2, width=32, training=Training(learning_rate=0.03))
    assert short_labels([tuned, implicit]) == ["NeuralODE", "NeuralODE[solver=rosenbrock]"]


def test_short_labels_are_the_full_ones():
    learners = [WindowedRNN(cell="rnn"), WindowedRNN(), NeuralODE(lookahead=5), Persistence()]
    assert short_labels(learners) == [label(learner) for learner in learners]


def test_long_labels_keep_what_tells_members_of_a_class_apart_words_first():
    assert len(label(DENSE)) > 32
    assert short_labels([DENSE, RING, Persistence()]) == ["ResNet", "ResNet[network=convolution]", "Persistence"]
    assert short_labels([DENSE]) == ["ResNet"]


def test_as_many_fields_are_kept_as_are_needed():
    whole, few = (Training(updates=2_000, batch=size) for size in (1_024, 32))
    learners = [NeuralODE(lookahead=ahead, training=whole) for ahead in (1, 5)] + [NeuralODE(training=few)]
    assert short_labels(learners) == [
        "NeuralODE[training.batch=1024]",
        "NeuralODE[lookahead=5,training.batch=1024]",
        "NeuralODE[training.batch=32]",
    ]


def test_updates_say_more_than_how_the_rate_ends():
    done = ResNet(blocks=1, activation="relu", training=Training(updates=2_000, drop=0.5))
    begun = ResNet(blocks=1, activation="relu", training=Training(updates=250))
    assert short_labels([done, begun]) == ["ResNet[training.updates=2000]", "ResNet[training.updates=250]"]


@pytest.mark.parametrize("count", [1, 2])
def test_labels_stay_distinct(count: int):
    learners = [NeuralODE(width=64 + place, training=Training(updates=123_456)) for place in range(count + 1)]
    assert len(set(short_labels(learners))) == count + 1


def test_where_images_lie_is_not_what_they_are():
    here, there = MNIST(), MNIST(root="/elsewhere", download=False)
    assert label(there) == label(here) == "MNIST"
    assert describe(there) == describe(here) == {"class": "MNIST"}
