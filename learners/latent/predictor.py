"""What a fitted latent model can do: forecast, decode what it was shown, and go from one latent state to another."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from learners.latent.networks import LatentModel
from learners.networks.scales import Scales
from learners.solvers.rollout import NetworkPredictor
from systems import Trajectories


class LatentPredictor(NetworkPredictor):
    """A fitted latent model; its state is that of the latent dynamics, float32, from the mean of what is encoded."""

    def __init__(self, model: LatentModel, window: int, scales: Scales) -> None:
        super().__init__(model, scales, lambda network: network.dynamics.rollout, together=False)
        self.model = model
        self.window = self.least_past = window

    def latent(self, past: Trajectories) -> Float[Tensor, "batch latent"]:
        """The mean of the latent state at the first sample of the window that ends `past`."""
        window = self.scales.lift(past.between(past.states.shape[1] - self.window))
        return self.model.encode(window.unsqueeze(0))[0].squeeze(0)

    def encode(self, past: Trajectories) -> Float[Tensor, "batch state"]:
        state = self.model.dynamics.begin(self.latent(past).unsqueeze(0))
        for gap in self._gaps(past):
            state = self.model.dynamics.step(state, gap)
        return state.squeeze(0)

    def _gaps(self, past: Trajectories) -> Sequence[Float[Tensor, "1 batch 1"]]:
        """Between the samples of the window that ends `past`, in sampling steps."""
        gaps = past.times[:, -self.window :].diff(dim=1) / self.scales.step
        return gaps.float()[None, :, :, None].unbind(2)

    def decode(self, state: Float[Tensor, "*batch state"]) -> Float[Tensor, "*batch dim"]:
        decoded = self.model.decode(state.reshape(1, -1, state.shape[-1])).squeeze(0)
        return self.scales.restore(decoded.unflatten(0, state.shape[:-1]) if state.dim() > 1 else decoded.squeeze(0))

    def reconstruct(self, past: Trajectories) -> Float64[Tensor, "batch window dim"]:
        """The states at the samples of the window that ends `past`, decoded from the latent state at its first."""
        with torch.inference_mode():
            states = [self.model.dynamics.begin(self.latent(past).unsqueeze(0))]
            for gap in self._gaps(past):
                states.append(self.model.dynamics.step(states[-1], gap))
            return self.decode(torch.cat(states).transpose(0, 1))

    def homotopy(
        self, past: Trajectories, places: int, before: int, after: int
    ) -> tuple[Float64[Tensor, "place time dim"], Float64[Tensor, " time"]]:
        """Trajectories decoded from latent states that are evenly spaced between those of the ends of a batch.

        One sample a sampling step: `after` of them behind the first of the window and, where the latent dynamics can be
        followed backwards, `before` of them before it. Times are in the system's time unit from there.
        """
        with torch.inference_mode():
            ends = self.latent(past)
            share = torch.linspace(0, 1, places, device=ends.device).unsqueeze(-1)
            earlier = before if self.model.dynamics.reversible else 0
            states = [self.model.dynamics.begin(torch.lerp(ends[:1], ends[-1:], share).unsqueeze(0))]
            for _ in range(earlier):
                states.insert(0, self.model.dynamics.step(states[0], -1.0))
            for _ in range(after):
                states.append(self.model.dynamics.step(states[-1], 1.0))
            times = self.scales.step * torch.arange(-earlier, after + 1, dtype=torch.float64)
            return self.decode(torch.cat(states).transpose(0, 1)), times
