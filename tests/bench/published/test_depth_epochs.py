"""The re-implementation's network: its shape, and how its error falls from one epoch to the next."""

from dataclasses import replace

from bench.published.depth_epochs import EPOCH, EPOCHS, IMAGES, LEARNER, errors, table
from systems import sample_images
from tests.support.images import SAMPLING, Stripes


def test_its_network_is_as_published():
    network = LEARNER.network((1, 28, 28), 10)
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 2) == 0.21
    kinds = [type(module).__name__ for module in network.stem.modules()]
    assert kinds == ["Sequential", "Conv2d", *["BatchNorm2d", "ReLU", "Conv2d"] * 2]
    assert (60_000 - IMAGES.valid) // LEARNER.training.batch == EPOCH
    assert LEARNER.training.updates == EPOCHS * EPOCH
    assert len(table.heads) == 1 + EPOCHS


def test_errors_fall_from_epoch_to_epoch():
    images = sample_images(Stripes(count=1000), replace(SAMPLING, valid=20, test=100), 0)
    training = replace(LEARNER.training, batch=16, learning_rate=1e-2)
    learner = replace(LEARNER, width=8, steps=2, training=training)
    found = errors(learner, images, 0, 4)
    assert found == errors(learner, images, 0, 4)
    assert len(found) == 4
    assert found[-1] < 5
    assert found[0] > 10
