"""Echo-state network: a fixed random recurrent network whose linear readout alone is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import torch
from jaxtyping import Float64
from torch import Tensor

from learners.base import Budget, Learner, Predictor, TrainingLog
from learners.linear.ridge import PENALTIES, compress, ridge
from learners.solvers.rollout import SteppedPredictor, rollout_map
from learners.streams import stream
from learners.training.segments import regular_only
from learners.validation import positive
from learners.validation_forecasts import ValidationForecasts
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class Reservoir(Learner):
    """Echo-state network: r <- (1 - leak) r + leak tanh(W r + V x + b); the change of x is linear in r, r^2 and x.

    W, V and b are random; W has the given spectral radius. The readout is fitted in float64 by ridge regression, with
    the penalty whose free-running forecasts of the validation data are best. A forecast starts from r = 0 at the
    beginning of the context.

    Jaeger and Haas, Science 304, 2004; Pathak, Hunt, Girvan, Lu and Ott, Physical Review Letters 120, 2018.
    """

    size: int = 400  # units
    radius: float = 0.6  # spectral radius of the recurrent weights
    leak: float = 1.0
    input_scale: float = 0.1  # half the range of the weights of a standardised input
    bias_scale: float = 0.5  # half the range of the biases
    washout: int = 20  # first samples of each trajectory that are not fitted

    def __post_init__(self) -> None:
        positive(self, "size", "radius", "leak", "input_scale", "bias_scale", "washout")

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        regular_only(dataset)
        samples = dataset.train.states.shape[1]
        if samples < self.washout + 2:
            raise ValueError(
                f"Reservoir.washout={self.washout} leaves nothing to fit of trajectories of {samples} samples: "
                "lower the washout or raise Sampling.samples"
            )
        forecasts = ValidationForecasts(dataset)
        return [self._fit(dataset, forecasts, seed) for seed in seeds]

    def _fit(self, dataset: Dataset, forecasts: ValidationForecasts, seed: int) -> Predictor:
        begun = perf_counter()
        network = EchoState(self, dataset, stream(seed, "weights"))
        states = dataset.standardise(dataset.train.states)
        triangle, projected, count = _equations(network, states, self.washout)
        readouts = (ridge(triangle, projected, penalty * count) for penalty in PENALTIES)
        candidates = (ReservoirPredictor(network, readout, dataset) for readout in readouts)
        best = min(candidates, key=lambda one: float(forecasts.errors([one])))
        best.log = TrainingLog(1, perf_counter() - begun, samples=count, selection="validation forecasts")
        return best


class EchoState:
    """The random recurrent network of one seed, float64; its state is `[batch, size]`."""

    def __init__(self, learner: Reservoir, dataset: Dataset, generator: torch.Generator) -> None:
        def uniform(*shape: int) -> Float64[Tensor, "..."]:
            return 2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1

        recurrent = uniform(learner.size, learner.size)
        place = dataset.mean.device
        scale = learner.radius / float(torch.linalg.eigvals(recurrent).abs().max())
        self.recurrent = (scale * recurrent).to(place)
        self.inputs = (learner.input_scale * uniform(dataset.dim, learner.size)).to(place)
        self.bias = (learner.bias_scale * uniform(learner.size)).to(place)
        self.leak, self.size = learner.leak, learner.size

    def drive(self, r: Float64[Tensor, "batch size"], x: Float64[Tensor, "batch dim"]) -> Float64[Tensor, "batch size"]:
        """The state after reading one more sample."""
        return torch.lerp(r, torch.tanh(r @ self.recurrent + x @ self.inputs + self.bias), self.leak)

    def listen(self, x: Float64[Tensor, "batch time dim"]) -> Float64[Tensor, "batch time size"]:
        """The states after each sample, from rest."""
        r = x.new_zeros(len(x), self.size)
        states = []
        for sample in x.unbind(1):
            r = self.drive(r, sample)
            states.append(r)
        return torch.stack(states, dim=1)


def features(r: Float64[Tensor, "*batch size"], x: Float64[Tensor, "*batch dim"]) -> Float64[Tensor, "*batch features"]:
    """What the readout is linear in: one, x, r and r^2, which breaks the symmetry of the tanh."""
    return torch.cat([torch.ones_like(x[..., :1]), x, r, r.square()], dim=-1)


def _equations(
    network: EchoState, states: Float64[Tensor, "batch time dim"], washout: int
) -> tuple[Float64[Tensor, "rows features"], Float64[Tensor, "rows dim"], int]:
    """Triangular factor and right-hand side of the least squares, trajectory by trajectory to save memory."""
    dim = states.shape[-1]
    count = 0
    triangle, projected = states.new_empty(0, 1 + dim + 2 * network.size), states.new_empty(0, dim)
    for some in states.split(max(1, 8_000 // states.shape[1])):
        heard = network.listen(some[:, :-1])
        design = features(heard, some[:, :-1])[:, washout:].flatten(0, 1)
        change = some.diff(dim=1)[:, washout:].flatten(0, 1)
        count += len(design)
        triangle, projected = compress(torch.cat([triangle, design]), torch.cat([projected, change]))
    return triangle, projected, count


class ReservoirPredictor(SteppedPredictor):
    """A fitted echo-state network; its state is that of the reservoir and the standardised sample, one after other."""

    def __init__(self, network: EchoState, readout: Float64[Tensor, "features dim"], dataset: Dataset) -> None:
        super().__init__(rollout_map(self.step, evaluations=1), dataset.step)
        self.network, self.readout = network, readout
        self.mean, self.std = dataset.mean, dataset.std

    @property
    def parameters(self) -> int:
        return self.readout.numel()

    def encode(self, past: Trajectories) -> Float64[Tensor, "batch state"]:
        states = (past.states - self.mean) / self.std
        return torch.cat([self.network.listen(states)[:, -1], states[:, -1]], dim=-1)

    def decode(self, state: Float64[Tensor, "*batch state"]) -> Float64[Tensor, "*batch dim"]:
        return state[..., self.network.size :] * self.std + self.mean

    def weights(self) -> dict[str, Tensor]:
        network = self.network
        return {
            "readout": self.readout,
            "recurrent": network.recurrent,
            "inputs": network.inputs,
            "bias": network.bias,
        }

    def constants(self) -> dict[str, Tensor]:
        return {"scales.mean": self.mean, "scales.std": self.std}

    def step(self, state: Float64[Tensor, "batch state"]) -> Float64[Tensor, "batch state"]:
        """The state one sampling step later."""
        r, x = state.split([self.network.size, state.shape[1] - self.network.size], dim=-1)
        x = x + features(r, x) @ self.readout
        return torch.cat([self.network.drive(r, x), x], dim=-1)
