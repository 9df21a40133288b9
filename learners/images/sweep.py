"""Work and precision of a trained block of continuous depth, from coarse to fine tolerances."""

from copy import deepcopy
from time import perf_counter

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from learners.base import SolverError
from learners.images.base import SolverPoint
from learners.images.networks import FIXED, ContinuousBlock, ImageNetwork
from learners.training.counting import counting, keeping

TOLERANCES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5)  # single precision can follow
REFERENCE = 1e-7  # in double precision, by an accurate solver
MOST = 100_000  # of its steps
REPETITIONS = 2  # of each timing, of which the shortest counts


def sweep(
    network: ImageNetwork, x: Float[Tensor, "image channel height width"], labels: Int64[Tensor, " image"]
) -> list[SolverPoint]:
    """A point for each tolerance that the block's solver masters; none where the body is not continuous and adaptive.

    Images share their steps, as those of a minibatch do.
    """
    block = deepcopy(network.body).requires_grad_(True)
    if not isinstance(block, ContinuousBlock) or block.solver in FIXED:
        return []
    with torch.no_grad():
        start = network.stem(x).float()
    points = []
    try:
        with torch.no_grad():
            exact = deepcopy(block).double()
            exact.solver = "dopri8"
            exact.most = MOST
            reference = exact.solve(start.double(), REFERENCE)
        for tolerance in TOLERANCES:
            points.append(_point(block, network.head, start, labels, tolerance, reference))  # noqa: PERF401 (it may end)
    except SolverError:
        pass  # a field too rough for a finer tolerance: what was found counts
    return points


def _point(
    block: ContinuousBlock,
    head: nn.Module,
    start: Float[Tensor, "image channel height width"],
    labels: Int64[Tensor, " image"],
    tolerance: float,
    reference: Float[Tensor, "image channel height width"],
) -> SolverPoint:
    start = start.detach().requires_grad_(True)
    learned = list(block.parameters())
    with counting([block.field]) as tally:
        end, saved = keeping(lambda: block.solve(start, tolerance), learned)
        forward = tally.take()
        nn.functional.cross_entropy(head(end).float(), labels).backward()
        backward = tally.take() or forward
    times = [_time(block, head, start, labels, tolerance) for _ in range(REPETITIONS)]
    error = (end.detach().double() - reference).norm() / reference.norm()
    ahead, back = (min(passes) for passes in zip(*times, strict=True))
    return SolverPoint(tolerance, float(error), forward, backward, ahead, back, saved)


def _time(
    block: ContinuousBlock, head: nn.Module, start: Tensor, labels: Int64[Tensor, " image"], tolerance: float
) -> tuple[float, float]:
    """Seconds of the forward and of the backward pass."""
    moments = [_now(start.device)]
    end = block.solve(start, tolerance)
    moments.append(_now(start.device))
    nn.functional.cross_entropy(head(end).float(), labels).backward()
    moments.append(_now(start.device))
    return moments[1] - moments[0], moments[2] - moments[1]


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()
