"""Adam in the eigenbases of the gradients' Kronecker factors."""

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

MEAN, SQUARE, FACTOR = 0.9, 0.95, 0.95  # what averages keep of themselves in an update
EPSILON = 1e-10  # gradients of a model that errs by 1e-4 are as small as 1e-8 in many directions
TURNS = 10  # updates between turns of the bases
SIDE = 64  # of the blocks that larger matrices are cut into, about

Matrix = Float[Tensor, "seed row column"]
Blocks = Float[Tensor, "block height width"]


class SOAP(torch.optim.Optimizer):
    """Adam in the eigenbases of the averages of G G^T and G^T G, G being the gradient of a matrix of one replica.

    A bias is a further row of its weights. Large matrices are cut into blocks with bases of their own, so that an
    update does not cost far more than its gradients. All averages are those of gradients as the bases show them: a turn
    of a basis is one step of the QR algorithm there, in which small eigenvalues do not drown in the rounding of large
    ones. The first bases are the coordinates. Of the parts of an update, a CUDA graph can repeat `descend`.

    Vyas et al., "SOAP: Improving and stabilizing Shampoo using Adam", ICLR 2025; blocks: Anil et al., "Scalable second
    order optimization for deep learning", arXiv 2002.09018, 2020.

    Args:
        parameters: `[seed, ...]` where they are stacked; beyond a row and a column, axes are joined to the latter.
        lr: the learning rate.
        stacked: whether the first axis counts replicas, which do not affect each other.
    """

    varying = ("lr", "fading", "spread")  # what differs from update to update in a group

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, stacked: bool = True) -> None:
        super().__init__(parameters, {"lr": lr, "count": 0, "fading": 1.0, "spread": 1.0})
        self.stacked = stacked

    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Update the parameters that have gradients."""
        self.begin()
        self.descend()
        self.end()

    def begin(self) -> None:
        """Count the update, and with it what averages of so many gradients lack of whole ones."""
        for group in self.param_groups:
            count = group["count"] + 1 if self.state else 1
            group.update(count=count, fading=1 - MEAN**count, spread=1 - SQUARE**count)

    @torch.no_grad()
    def descend(self) -> None:
        """Move the parameters: nothing but operations on tensors, always the same ones, in their own precision."""
        with self._own_precision():
            self._descend()

    def _descend(self) -> None:
        for group in self.param_groups:
            for members, matrices in self._layers(group["params"]):
                gradient = torch.cat(matrices, dim=1)
                move = _move(self.state[members[0]], cut(gradient), group["fading"], group["spread"])
                move = join(move, gradient.shape) * group["lr"]
                parts = move.split([matrix.shape[1] for matrix in matrices], dim=1)
                for parameter, part in zip(members, parts, strict=True):
                    parameter.sub_(part.reshape(parameter.shape))

    @torch.no_grad()
    def end(self) -> None:
        """Turn the bases, where it is time to."""
        if self.param_groups[0]["count"] % TURNS:
            return
        with self._own_precision():
            for state in self.state.values():
                state["mean"].copy_(_turn(state, "left").mT @ state["mean"] @ _turn(state, "right"))

    def _own_precision(self) -> torch.autocast:
        """Whatever networks compute in."""
        return torch.autocast(self.param_groups[0]["params"][0].device.type, enabled=False)

    def _layers(self, parameters: Sequence[nn.Parameter]) -> list[tuple[list[nn.Parameter], list[Matrix]]]:
        """Parameters with their gradients as matrices; a single row goes with what is before it and as wide."""
        layers: list[tuple[list[nn.Parameter], list[Matrix]]] = []
        for parameter in parameters:
            if parameter.grad is None:
                continue
            stack = parameter.grad if self.stacked else parameter.grad.unsqueeze(0)
            matrix = stack.reshape(len(stack), stack.shape[1] if stack.dim() > 2 else 1, -1)
            if matrix.shape[1] == 1 and layers and layers[-1][1][0].shape[2] == matrix.shape[2]:
                layers[-1][0].append(parameter)
                layers[-1][1].append(matrix)
            else:
                layers.append(([parameter], [matrix]))
        return layers


def side(size: int) -> int:
    """How many of so many rows or columns a block has: about `SIDE`, or all."""
    return -(-size // max(1, round(size / SIDE)))


def cut(matrix: Matrix) -> Blocks:
    """The blocks of about `SIDE` rows and columns that each replica's matrix consists of, filled up with zeros."""
    seeds, rows, columns = matrix.shape
    height, width = side(rows), side(columns)
    filled = pad(matrix, (0, -columns % width, 0, -rows % height))
    return filled.view(seeds, -(-rows // height), height, -1, width).transpose(2, 3).reshape(-1, height, width)


def join(blocks: Blocks, shape: Sequence[int]) -> Matrix:
    """The matrices of this shape that `cut` has cut up."""
    seeds, rows, columns = shape
    _, height, width = blocks.shape
    apart = blocks.view(seeds, -(-rows // height), -1, height, width).transpose(2, 3)
    return apart.flatten(3).flatten(1, 2)[:, :rows, :columns]


def _move(state: dict[str, Tensor], gradient: Blocks, fading: float | Tensor, spread: float | Tensor) -> Blocks:
    """What the update takes, at a rate of one, from the blocks whose averages are in the state."""
    if not state:
        state |= {"mean": torch.zeros_like(gradient), "square": torch.zeros_like(gradient)}
        for side, size in (("left", gradient.shape[1]), ("right", gradient.shape[2])):
            basis = torch.diag_embed(gradient.new_ones(len(gradient), size))
            state |= {f"{side}_factor": torch.zeros_like(basis), f"{side}_basis": basis}
    left, right, mean, square = (state[name] for name in ("left_basis", "right_basis", "mean", "square"))
    seen = left.mT @ gradient @ right
    mean.lerp_(seen, 1 - MEAN)
    square.mul_(SQUARE).addcmul_(seen, seen, value=1 - SQUARE)
    move = left @ (mean / fading / ((square / spread).sqrt() + EPSILON)) @ right.mT
    state["left_factor"].baddbmm_(seen, seen.mT, beta=FACTOR, alpha=1 - FACTOR)
    state["right_factor"].baddbmm_(seen.mT, seen, beta=FACTOR, alpha=1 - FACTOR)
    return move


def _turn(state: dict[str, Tensor], side: str) -> Blocks:
    """Turn the basis of a side, and its factor with it, by a step of the QR algorithm; returns the turn."""
    turn, rest = torch.linalg.qr(state[f"{side}_factor"])
    state[f"{side}_factor"].copy_(rest @ turn)
    state[f"{side}_basis"].copy_(state[f"{side}_basis"] @ turn)
    return turn
