"""MyNetwork: a network to begin with. As it stands, a perceptron learns what one sampling step adds to the state."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor, nn

from learners import Budget, Failure, Learner, Predictor, TrainingLog, Unsuitable
from learners.streams import stream
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class MyNetwork(Learner):
    """One sentence that says what it learns, and how.

    x(n + 1) = x(n) + f(x(n)), of standardised states; f is a perceptron, trained on pairs of samples by Adam.
    """

    width: int = 64  # hidden units
    updates: int = 3000  # of the standard budget
    batch: int = 256  # pairs of samples in an update
    learning_rate: float = 3e-3  # at the start, from where it falls to 0 as a cosine

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        if not dataset.is_regular:
            raise Unsuitable("a map of one sampling step cannot use irregular times")
        return [self._fit_one(dataset, budget.updates(self.updates), seed) for seed in seeds]

    def _fit_one(self, dataset: Dataset, updates: int, seed: int) -> Predictor:
        begun = perf_counter()
        states = dataset.standardise(dataset.train.states).float()  # [trajectory, time, dim]
        starts = states[:, :-1].flatten(0, 1)
        increments = states.diff(dim=1).flatten(0, 1)
        unit = increments.std(dim=0).clamp_min(1e-20)  # errors are in standard deviations of the increments
        network = perceptron(dataset.dim, self.width, stream(seed, "weights")).to(states.device)
        chosen = stream(seed, "minibatches")  # a stream of its own for each purpose; never the global generator
        optimiser = torch.optim.Adam(network.parameters(), self.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)
        loss = states.new_zeros(())
        for _ in range(updates):
            rows = torch.randint(len(starts), (self.batch,), generator=chosen).to(states.device)
            optimiser.zero_grad()
            loss = (network(starts[rows]) - increments[rows] / unit).square().mean()
            loss.backward()
            optimiser.step()
            schedule.step()
        fitted = NetworkMap(network.requires_grad_(False), dataset, unit)
        failure = None if loss.isfinite() else Failure("diverged", f"the loss is {loss:g}")
        seconds = perf_counter() - begun
        fitted.log = TrainingLog(updates, seconds, nfe_forward=1.0, nfe_backward=1.0, failure=failure)
        return fitted


def perceptron(dim: int, width: int, generator: torch.Generator) -> nn.Sequential:
    """Two hidden layers; its weights are drawn from the generator alone."""
    layers = [nn.utils.skip_init(nn.Linear, *size) for size in ((dim, width), (width, width), (width, dim))]
    network = nn.Sequential(layers[0], nn.SiLU(), layers[1], nn.SiLU(), layers[2])
    for weights in network.parameters():
        if weights.dim() == 2:
            nn.init.kaiming_uniform_(weights, generator=generator)
        else:
            nn.init.zeros_(weights)
    return network


class NetworkMap(Predictor):
    """What has been learned, as a dynamical system: its state is the standardised state of the system, float32."""

    def __init__(self, network: nn.Module, dataset: Dataset, unit: Tensor) -> None:
        self.network = network
        self.mean = dataset.mean
        self.std = dataset.std
        self.step = dataset.step
        self.unit = unit

    @property
    def parameters(self) -> int:
        return sum(weight.numel() for weight in self.network.parameters())

    def encode(self, past: Trajectories) -> Tensor:
        return ((past.states[:, -1] - self.mean) / self.std).float()

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        states = []
        steps = 0
        for offset in offsets:
            while steps < round(offset / self.step):
                state = state + self.unit * self.network(state)
                steps += 1
            states.append(state)
        return torch.stack(states), steps

    def decode(self, state: Tensor) -> Tensor:
        return state.double() * self.std + self.mean

    def weights(self) -> dict[str, Tensor]:
        return dict(self.network.named_parameters())
