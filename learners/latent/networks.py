"""The networks of latent models: encoder, latent dynamics and decoder, of every replica."""

from collections.abc import Sequence
from typing import ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from learners.networks.recurrent import GRUCell, StackedRecurrent
from learners.networks.stacked import StackedLinear, StackedMLP
from learners.solvers.rollout import Rollout, rollout_flow, rollout_map
from learners.solvers.steps import EVALUATIONS, STEPS

INITIAL = 2.0  # minus logarithm of the standard deviation of an untrained latent state
RATE = 0.1  # size of an untrained latent field, per sample


@runtime_checkable
class LatentForm(Protocol):
    """The hyper-parameters of the networks of a latent model."""

    @property
    def latent(self) -> int: ...
    @property
    def hidden(self) -> int: ...
    @property
    def width(self) -> int: ...


class LatentFlow(nn.Module):
    """dz/ds = f(z) for every replica; time s is counted in sampling steps, over a few of which z changes little."""

    reversible: ClassVar[bool] = True

    def __init__(self, latent: int, width: int, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.size = latent
        self.field = StackedMLP([latent, width, width, latent], "elu", generators)

    def begin(self, z: Float[Tensor, "seed batch latent"]) -> Float[Tensor, "seed batch latent"]:
        return z

    def step(
        self, z: Float[Tensor, "seed batch latent"], samples: float | Float[Tensor, "seed batch 1"]
    ) -> Float[Tensor, "seed batch latent"]:
        return STEPS["rk4"](lambda s, x: samples * RATE * self.field(x), z, 1.0)

    @property
    def counted(self) -> nn.Module:
        return self.field

    @property
    def rollout(self) -> Rollout:
        def step(z: Float[Tensor, "batch latent"], h: float) -> Float[Tensor, "batch latent"]:
            return self.step(z.unsqueeze(0), h).squeeze(0)

        return rollout_flow(step, EVALUATIONS["rk4"])


class LatentCell(nn.Module):
    """h <- GRU(h) for every replica, once a sample, from a linear image of the latent state.

    At irregular times, the gap to the next sample, in sampling steps, is an input.
    """

    reversible: ClassVar[bool] = False

    def __init__(self, latent: int, hidden: int, irregular: bool, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.size, self.irregular = hidden, irregular
        self.lift = StackedLinear(latent, hidden, generators)
        self.gates = StackedLinear(hidden + irregular, 3 * hidden, generators)
        self.cell = GRUCell(hidden, generators)

    def begin(self, z: Float[Tensor, "seed batch latent"]) -> Float[Tensor, "seed batch hidden"]:
        return torch.tanh(self.lift(z))

    def step(
        self, h: Float[Tensor, "seed batch hidden"], samples: float | Float[Tensor, "seed batch 1"] = 1.0
    ) -> Float[Tensor, "seed batch hidden"]:
        given = h
        if self.irregular:
            gap = samples if isinstance(samples, Tensor) else h.new_full((1,), samples)
            given = torch.cat([h, gap.expand(*h.shape[:2], 1)], dim=-1)
        return self.cell(self.gates(given), h, h)[0]

    @property
    def counted(self) -> nn.Module:
        return self.cell

    @property
    def rollout(self) -> Rollout:
        if self.irregular:
            return rollout_flow(lambda h, gap: self.step(h.unsqueeze(0), gap).squeeze(0), evaluations=1)
        return rollout_map(lambda h: self.step(h.unsqueeze(0)).squeeze(0), evaluations=1)


class LatentModel(nn.Module):
    """Encoder, latent dynamics and decoder for every replica, of standardised states.

    Where the states end with the time, it runs at `pace` a sampling step, and the encoder reads the gaps between them.
    """

    def __init__(
        self,
        form: LatentForm,
        dim: int,
        dynamics: LatentFlow | LatentCell,
        generators: Sequence[torch.Generator],
        pace: float = 0.0,
    ) -> None:
        super().__init__()
        self.dim, self.pace = dim, pace
        self.recurrent = StackedRecurrent("gru", dim + bool(pace), form.hidden, generators)
        self.readout = StackedLinear(form.hidden, 2 * form.latent, generators)
        self.dynamics = dynamics
        self.decoder = StackedMLP([dynamics.size, form.width, dim], "elu", generators)

    def encode(
        self, window: Float[Tensor, "seed batch window state"]
    ) -> tuple[Float[Tensor, "seed batch latent"], Float[Tensor, "seed batch latent"]]:
        """Mean and logarithm of the standard deviation of the latent state at the first sample of the window."""
        if self.pace:
            gaps = nn.functional.pad(self.gaps(window), (0, 1)).unsqueeze(-1)
            window = torch.cat([window[..., : self.dim], gaps], dim=-1)
        mean, log_deviation = self.readout(self.recurrent(window.flip(2))).chunk(2, dim=-1)
        return mean, log_deviation - INITIAL

    def decode(self, states: Float[Tensor, "seed batch state"]) -> Float[Tensor, "seed batch dim"]:
        return self.decoder(states)

    def gaps(self, samples: Float[Tensor, "seed batch length state"]) -> Float[Tensor, "seed batch intervals"]:
        """Times between samples that end with the time, in sampling steps."""
        return samples[..., -1].diff(dim=2) / self.pace
