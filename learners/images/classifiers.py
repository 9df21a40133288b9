"""Classifiers of images: a perceptron, a residual network, and networks of continuous depth."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from learners.base import Budget, TrainingLog
from learners.images.base import Classifier, FittedClassifier, SolverPoint
from learners.images.networks import (
    ContinuousBlock,
    ConvolutionalField,
    DenseField,
    DepthSolver,
    ImageNetwork,
    Norm,
    ResidualBlock,
    Stem,
    convolutional,
    dense_chain,
    perceptron,
)
from learners.images.sweep import sweep
from learners.images.training import CHUNK, Format, train_classifier
from learners.streams import stream
from learners.training.loop import Training
from learners.validation import positive
from systems.images import ImageDataset, LabelledImages

IMAGE_TRAINING = Training(updates=300, batch=64, learning_rate=1e-2, validations=10)


@dataclass(frozen=True)
class NetworkClassifier(Classifier):
    """A network of images trained on the cross-entropy. Seeds are fitted one after the other."""

    training: Training = field(default_factory=lambda: IMAGE_TRAINING)
    mixed_precision: bool = False  # compute in bfloat16 where that is safe
    channels_last: bool = True  # keep the channels of an image next to each other in memory, which is faster

    @abstractmethod
    def network(self, shape: tuple[int, int, int], classes: int) -> ImageNetwork:
        """The network for images of a shape (channels, height, width), with its initial weights."""

    def fit_replicas(self, dataset: ImageDataset, budget: Budget, seeds: Sequence[int]) -> list[FittedClassifier]:
        return [self._fit_one(dataset, budget, seed) for seed in seeds]

    def _fit_one(self, dataset: ImageDataset, budget: Budget, seed: int) -> FittedClassifier:
        form = Format(self.mixed_precision, self.channels_last)
        with torch.random.fork_rng(devices=[]):  # layers draw from the global generator: it is lent a seed of its own
            torch.manual_seed(stream(seed, "weights").initial_seed())
            network = self.network(dataset.shape, dataset.image_set.classes)
        network = network.to(dataset.train.pixels.device)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        log = train_classifier(network, dataset, self.training, form, budget, seed)
        return FittedNetwork(network.eval().requires_grad_(False), dataset.levels, form, log)


@dataclass(frozen=True)
class MLPClassifier(NetworkClassifier):
    """One hidden layer on the pixels: the floor that a deep network has to beat."""

    hidden: int = 300

    reference: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self, "hidden")

    def network(self, shape: tuple[int, int, int], classes: int) -> ImageNetwork:
        return perceptron(shape, self.hidden, classes)


@dataclass(frozen=True)
class ResNetClassifier(NetworkClassifier):
    """Residual blocks one after the other.

    He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    width: int = 64  # feature maps
    blocks: int = 6
    norm: Norm = "group"
    stem: Stem = "residual"  # blocks that halve the maps; or convolutions of 4 x 4 alone

    def __post_init__(self) -> None:
        positive(self, "width", "blocks")

    def network(self, shape: tuple[int, int, int], classes: int) -> ImageNetwork:
        blocks = [ResidualBlock(self.width, self.norm) for _ in range(self.blocks)]
        return convolutional(shape, self.width, self.norm, self.stem, classes, nn.Sequential(*blocks), blocks)


@dataclass(frozen=True)
class ContinuousClassifier(NetworkClassifier):
    """One block of continuous depth: a convolutional field followed from time 0 to time 1."""

    width: int = 64  # feature maps
    tolerance: float = 1e-3  # relative and absolute, of an adaptive solver
    solver: DepthSolver = "dopri5"
    steps: int = 20  # of a solver with fixed steps
    max_steps: int = 500  # of an adaptive solver, after which it is given up
    norm: Norm = "group"
    stem: Stem = "residual"  # blocks that halve the maps; or convolutions of 4 x 4 alone
    time: bool = True  # give the field the time as a further channel

    adjoint: ClassVar[bool]

    def __post_init__(self) -> None:
        positive(self, "width", "tolerance", "steps", "max_steps")
        if self.solver == "adams" and not self.adjoint:
            raise ValueError('no gradients go through the steps of solver="adams": ODENetClassifier needs none')

    def network(self, shape: tuple[int, int, int], classes: int) -> ImageNetwork:
        velocity = ConvolutionalField(self.width, self.norm, self.time)
        block = ContinuousBlock(velocity, self.solver, self.tolerance, self.steps, self.max_steps, self.adjoint)
        return convolutional(shape, self.width, self.norm, self.stem, classes, block, [velocity])


@dataclass(frozen=True)
class RKNetClassifier(ContinuousClassifier):
    """Continuous depth, with gradients by backpropagation through the solver: memory grows with its steps.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    adjoint: ClassVar[bool] = False


@dataclass(frozen=True)
class ODENetClassifier(ContinuousClassifier):
    """Continuous depth, with gradients by the adjoint equation: memory does not grow with the solver's steps.

    Chen et al., "Neural ordinary differential equations", NeurIPS 2018.
    """

    adjoint: ClassVar[bool] = True


@dataclass(frozen=True)
class DenseODEClassifier(NetworkClassifier):
    """A dense layer, a solve on [0, 1] and a dense layer: a differential equation as a layer of a chain.

    Rackauckas et al., "DiffEqFlux.jl: a Julia library for neural differential equations", 2019.
    """

    width: int = 32  # of the state that is solved for
    tolerance: float = 1e-3  # relative and absolute, of an adaptive solver
    solver: DepthSolver = "dopri5"
    steps: int = 20  # of a solver with fixed steps
    max_steps: int = 500  # of an adaptive solver, after which it is given up

    def __post_init__(self) -> None:
        positive(self, "width", "tolerance", "steps", "max_steps")
        if self.solver == "adams":
            raise ValueError('no gradients go through the steps of solver="adams": ODENetClassifier needs none')

    def network(self, shape: tuple[int, int, int], classes: int) -> ImageNetwork:
        velocity = DenseField(self.width)
        block = ContinuousBlock(velocity, self.solver, self.tolerance, self.steps, self.max_steps, adjoint=False)
        return dense_chain(shape, self.width, classes, block, velocity)


class FittedNetwork(FittedClassifier):
    """A network with the grey levels that it was trained on."""

    def __init__(self, network: ImageNetwork, levels: tuple[float, float], form: Format, log: TrainingLog) -> None:
        self.network = network
        self.levels = levels
        self.form = form
        self.log = log

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.network.parameters())

    @torch.no_grad()
    def probabilities(self, pixels: UInt8[Tensor, "image channel height width"]) -> Float[Tensor, "image class"]:
        with self.form.autocast(pixels.device):
            logits = [self.network(self.form.place(chunk, self.levels)) for chunk in pixels.split(CHUNK)]
        return torch.cat(logits).double().softmax(dim=1)

    def sweep(self, images: LabelledImages) -> list[SolverPoint]:
        return sweep(self.network, self.form.place(images.pixels, self.levels), images.labels)

    def weights(self) -> dict[str, Tensor]:
        return dict[str, Any](self.network.state_dict())
