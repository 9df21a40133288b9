"""Work and precision of a trained block of continuous depth, from coarse to fine tolerances."""

from copy import deepcopy
from dataclasses import replace
from math import nan
from statistics import median
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
ROUNDS = 10  # of timings at all tolerances in turn, so that each sees the same machine; medians count


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
    tolerances: list[float] = []
    points: list[SolverPoint] = []
    try:
        with torch.no_grad():
            exact = deepcopy(block).double()
            exact.solver = "dopri8"
            exact.most = MOST
            reference = exact.solve(start.double(), REFERENCE)
        for tolerance in TOLERANCES:
            points.append(_point(block, network.head, start, labels, tolerance, reference))
            tolerances.append(tolerance)
    except SolverError:
        pass  # a field too rough for a finer tolerance: what was found counts
    rounds = [[_time(block, start, tolerance) for tolerance in tolerances] for _ in range(ROUNDS)]
    return [
        replace(point, forward_seconds=median(times))
        for point, times in zip(points, zip(*rounds, strict=True), strict=True)
    ]


def _point(
    block: ContinuousBlock,
    head: nn.Module,
    start: Float[Tensor, "image channel height width"],
    labels: Int64[Tensor, " image"],
    tolerance: float,
    reference: Float[Tensor, "image channel height width"],
) -> SolverPoint:
    """What a solve costs and how far it errs; its time is still to be taken."""
    start = start.detach().requires_grad_(True)
    learned = list(block.parameters())
    with counting([block.field]) as tally:
        end, saved = keeping(lambda: block.solve(start, tolerance), learned)
        forward = tally.take()
        nn.functional.cross_entropy(head(end).float(), labels).backward()
        backward = tally.take() or forward
    error = (end.detach().double() - reference).norm() / reference.norm()
    return SolverPoint(tolerance, float(error), forward, backward, nan, saved)


def _time(block: ContinuousBlock, start: Tensor, tolerance: float) -> float:
    """Seconds of the forward pass of an update."""
    start = start.detach().requires_grad_(True)
    begin = _now(start.device)
    block.solve(start, tolerance)
    return _now(start.device) - begin


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return perf_counter()
