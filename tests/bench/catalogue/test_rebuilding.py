"""Components from what records say of them."""

import json
from typing import Any

import pytest

from bench.catalogue.rebuilding import rebuild
from learners import NeuralODE, ResNet, Training
from systems import MNIST, Lorenz96
from systems.configuration import describe
from systems.observation import Irregular

COMPONENTS = (Lorenz96(sites=7), Irregular(Lorenz96()), ResNet(training=Training(updates=3)), NeuralODE(), MNIST("x"))


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda one: type(one).__name__)
def test_what_a_record_describes_is_built_again(component: Any):
    assert rebuild(json.loads(json.dumps(describe(component))), []) == component
