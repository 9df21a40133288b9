"""Convolutional networks for images: one stem, a body that is deep in blocks or in time, one head.

All of them have feature maps of one width from the first convolution to the last.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.solvers.shared_steps import adams, adaptive, fixed, follow_by_adjoint

Norm = Literal["group", "batch"]
Stem = Literal["residual", "plain"]
DepthSolver = Literal["dopri5", "dopri8", "bosh3", "fehlberg2", "adaptive_heun", "adams", "euler", "midpoint", "rk4"]
FIXED: tuple[DepthSolver, ...] = ("euler", "midpoint", "rk4")
SMALL = 16  # images with fewer pixels across are padded at once, and halved once instead of twice

Maps = Float[Tensor, "batch channel height width"]


class ImageNetwork(nn.Module):
    """A stem, a body and a head; the calls of `counted` modules are the network's function evaluations."""

    def __init__(self, stem: nn.Module, body: nn.Module, head: nn.Module, counted: Sequence[nn.Module]) -> None:
        super().__init__()
        self.stem, self.body, self.head = stem, body, head
        self.counted = tuple(counted)

    def forward(self, x: Maps) -> Float[Tensor, "batch class"]:
        return self.head(self.body(self.stem(x)))


def perceptron(shape: tuple[int, int, int], hidden: int, classes: int) -> ImageNetwork:
    """One hidden layer on the pixels."""
    channels, height, width = shape
    stem = nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, hidden), nn.ReLU())
    return ImageNetwork(stem, nn.Identity(), nn.Linear(hidden, classes), ())


def dense_chain(
    shape: tuple[int, int, int], width: int, classes: int, body: nn.Module, counted: nn.Module
) -> ImageNetwork:
    """A body of so many units, each a map of one pixel, between two dense layers."""
    channels, height, width_of_image = shape
    before = nn.Linear(channels * height * width_of_image, width)
    stem = nn.Sequential(nn.Flatten(), before, nn.Unflatten(1, (width, 1, 1)))
    return ImageNetwork(stem, body, nn.Sequential(nn.Flatten(), nn.Linear(width, classes)), [counted])


def convolutional(
    shape: tuple[int, int, int],
    width: int,
    norm: Norm,
    kind: Stem,
    classes: int,
    body: nn.Module,
    counted: Sequence[nn.Module],
) -> ImageNetwork:
    """A body between the stem and the head that all convolutional classifiers share."""
    head = nn.Sequential(
        normalisation(norm, width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)
    )
    return ImageNetwork(stem(shape, width, norm, kind), body, head, counted)


def stem(shape: tuple[int, int, int], width: int, norm: Norm, kind: Stem) -> nn.Module:
    """A convolution, and two that halve the maps, in residual blocks or plain: 28 x 28 pixels become 6 x 6.

    Images below 16 pixels have none to spare: the first is padded and the last keeps the size, so that 8 x 8 pixels
    become 4 x 4.
    """
    small = min(shape[1:]) < SMALL
    size = min(shape[1:]) - (0 if small else 2)
    first = nn.Conv2d(shape[0], width, 3, padding=int(small))
    if kind == "residual":
        return nn.Sequential(first, Halving(width, norm, 2, size), Halving(width, norm, 1 if small else 2, size // 2))

    def activated() -> Iterator[nn.Module]:
        yield from (normalisation(norm, width), nn.ReLU())

    halving = nn.Conv2d(width, width, 4, 2, padding=1)
    last = nn.Conv2d(width, width, 3, padding=1) if small else nn.Conv2d(width, width, 4, 2, padding=1)
    return nn.Sequential(first, *activated(), halving, *activated(), last)


def normalisation(norm: Norm, width: int) -> nn.Module:
    """Over groups of eight channels, or of the next more that divide the width; or over the batch."""
    groups = next(count for count in range(max(1, width // 8), 0, -1) if width % count == 0)
    return nn.GroupNorm(groups, width) if norm == "group" else nn.BatchNorm2d(width)


class Halving(nn.Module):
    """A residual block that takes the maps to a stride, with pooling as its shortcut.

    Maps of an odd size lose their last row and column, as they do by pooling.
    """

    def __init__(self, width: int, norm: Norm, stride: int, size: int) -> None:
        super().__init__()
        padding = 1 if stride == 1 else 1 - size % 2
        self.branch = nn.Sequential(
            normalisation(norm, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, padding),
            normalisation(norm, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.shortcut = nn.AvgPool2d(stride)

    def forward(self, x: Maps) -> Float[Tensor, "batch channel lower narrower"]:
        return self.shortcut(x) + self.branch(x)


class ResidualBlock(nn.Module):
    """x + f(x), where f is two convolutions before each of which, and after the last, stands a normalisation.

    He et al., "Identity mappings in deep residual networks", ECCV 2016.
    """

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            normalisation(norm, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            normalisation(norm, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            normalisation(norm, width),
        )

    def forward(self, x: Maps) -> Maps:
        return x + self.branch(x)


class TimeConvolution(nn.Module):
    """A convolution of the maps and of a further channel that holds the time everywhere.

    The share of that channel is the time multiplied by the same map for every image: it is computed once a solve.
    """

    def __init__(self, width: int, time: bool) -> None:
        super().__init__()
        weight, bias = nn.Conv2d(width + time, width, 3).parameters()  # initialised together
        self.weight = nn.Parameter(weight.detach()[:, -width:].clone())
        self.bias = bias
        self.time_weight = nn.Parameter(weight.detach()[:, :1].clone()) if time else None

    def time_map(self, height: int, width: int) -> Tensor | None:
        """What the time channel adds at time 1."""
        if self.time_weight is None:
            return None
        ones = self.time_weight.new_ones((1, 1, height, width))
        return nn.functional.conv2d(ones, self.time_weight, padding=1)

    def forward(self, t: float, x: Maps, time_map: Tensor | None) -> Maps:
        y = nn.functional.conv2d(x, self.weight, self.bias, padding=1)
        return y if time_map is None else y.add_(time_map, alpha=t)


class ConvolutionalField(nn.Module):
    """dx/dt = norm(relu(conv(norm(relu(conv(x, t))), t)))."""

    def __init__(self, width: int, norm: Norm, time: bool) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList([TimeConvolution(width, time), TimeConvolution(width, time)])
        self.norms = nn.ModuleList(normalisation(norm, width) for _ in range(2))

    def time_maps(self, x: Maps) -> list[Tensor | None]:
        convolutions = (one for one in self.convolutions if isinstance(one, TimeConvolution))
        return [convolution.time_map(x.shape[-2], x.shape[-1]) for convolution in convolutions]

    def forward(self, t: float, x: Maps, time_maps: list[Tensor | None]) -> Maps:
        for convolution, norm, time_map in zip(self.convolutions, self.norms, time_maps, strict=True):
            x = norm(torch.relu_(convolution(t, x, time_map)))
        return x


class DenseField(nn.Module):
    """dx/dt = W tanh(V x + v) + w, of units that are maps of one pixel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(width, width, 1), nn.Tanh(), nn.Conv2d(width, width, 1))

    def time_maps(self, x: Maps) -> list[Tensor | None]:
        return []

    def forward(self, t: float, x: Maps, time_maps: list[Tensor | None]) -> Maps:
        return self.layers(x)


class ContinuousBlock(nn.Module):
    """The state at time 1 of the maps that follow a field from time 0.

    Gradients come from the adjoint equation, solved backwards in time, or by backpropagation through the solver.
    """

    def __init__(
        self,
        field: ConvolutionalField | DenseField,
        solver: DepthSolver,
        tolerance: float,
        steps: int,
        most: int,
        adjoint: bool,
    ) -> None:
        super().__init__()
        self.field, self.solver, self.tolerance = field, solver, tolerance
        self.steps, self.most, self.adjoint = steps, most, adjoint

    def forward(self, x: Maps) -> Maps:
        return self.solve(x, self.tolerance)

    def solve(self, x: Maps, tolerance: float) -> Maps:
        """Solve at a tolerance, relative and absolute. Raises SolverError where the solver cannot go on."""
        maps = self.field.time_maps(x)
        mixed = torch.is_autocast_enabled(x.device.type)

        def velocity(t: float, state: Maps) -> Maps:
            with torch.autocast(x.device.type, torch.bfloat16, enabled=mixed):  # also when an adjoint calls it
                return self.field(t, state, maps).to(state.dtype)

        if self.solver == "adams":
            follow = adams(tolerance, self.most)
        elif self.solver in FIXED:
            follow = fixed(self.solver, self.steps)
        else:
            follow = adaptive(self.solver, tolerance, self.most)
        x = x.float() if mixed else x
        if self.adjoint and torch.is_grad_enabled():
            learned = [weight for name, weight in self.field.named_parameters() if not name.endswith("time_weight")]
            return follow_by_adjoint(follow, velocity, x, (*learned, *(one for one in maps if one is not None)))
        return follow(lambda t, state: (velocity(t, *state),), (x,))[0]
