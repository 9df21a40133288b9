"""A re-implementation's network of continuous depth on MNIST, trained as published: its error after each epoch."""

from collections.abc import Sequence
from functools import partial
from itertools import islice
from math import inf
from pathlib import Path

from bench.published.table import Figure, PublishedTable, Row
from learners import Budget, ODENetClassifier, Training
from learners.training.training_step import collect_steps
from systems import MNIST, ImageSampling
from systems.images import ImageDataset, sample_images

PUBLISHED = (1.32, 2.24, 1.00, 0.87, 0.83)  # percent of the test images, after epochs 1 to 5
BATCH = 32
EPOCHS = len(PUBLISHED)
EPOCH = 60_000 // BATCH - 1  # updates; one minibatch is kept for validation, which chooses nothing here
SEEDS = 3

IMAGES = ImageSampling(valid=BATCH, test=10_000)
LEARNER = ODENetClassifier(
    norm="batch",
    stem="plain",
    solver="euler",
    steps=20,
    training=Training(
        updates=EPOCHS * EPOCH, batch=BATCH, learning_rate=1e-3, schedule="constant", keep="last", clip=inf
    ),
)


def errors(learner: ODENetClassifier, images: ImageDataset, seed: int, epochs: int) -> list[float]:
    """The test error in percent after each epoch at a constant rate."""
    updates = len(images.train) // learner.training.batch
    with collect_steps() as steps:
        (model,) = learner.fit_replicas(images, Budget(), [seed])
    (step,) = steps
    step.network.requires_grad_(True)
    minibatches = step.minibatches(epochs * updates)
    found = []
    for _ in range(epochs):
        step.network.train()
        for minibatch in islice(minibatches, updates):
            step.optimiser.zero_grad()
            step.objective(minibatch).sum().backward()
            step.optimiser.step()
        step.network.eval()
        wrong = model.probabilities(images.test.pixels).argmax(dim=1) != images.test.labels
        found.append(100 * float(wrong.double().mean()))
    return found


def measure(files: Path, seed: int) -> Sequence[Figure]:
    """The errors of one seed, beside those that are published. Raises FileNotFoundError where there are no images."""
    images = sample_images(MNIST(str(files), download=False), IMAGES, 0)
    measured = errors(LEARNER, images, seed, EPOCHS)
    return [Figure(error, published, 2) for error, published in zip(measured, PUBLISHED, strict=True)]


table = PublishedTable(
    title="Continuous depth on MNIST, epoch by epoch",
    about=(
        "Test error in percent of the network of a re-implementation of 'Neural ordinary differential equations', "
        "trained as it was: a plain stem, batch normalisation, twenty of Euler's steps with the adjoint, Adam at a "
        "constant rate of 0.001, batches of 32, images as they are."
    ),
    heads=("seed", *(f"epoch {epoch}" for epoch in range(1, EPOCHS + 1))),
    rows=lambda files: [Row((str(seed),), partial(measure, files, seed), minutes=17) for seed in range(SEEDS)],
)
