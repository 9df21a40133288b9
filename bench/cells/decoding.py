"""What models with latent states give beside forecasts: the observed interval, and a path between two states."""

from typing import Protocol, runtime_checkable

from jaxtyping import Float64
from torch import Tensor

from metrics import Decoded
from systems import Dataset, Trajectories

PLACES = 7  # on the line between two latent states
BEFORE = 0.5  # timescales that are decoded before each of them
AFTER = 2.0  # timescales that are decoded after it


@runtime_checkable
class Latent(Protocol):
    """A predictor that decodes what it has read, its last `window` samples, from one latent state."""

    window: int

    def reconstruct(self, past: Trajectories) -> Float64[Tensor, "batch window dim"]: ...

    def homotopy(
        self, past: Trajectories, places: int, before: int, after: int
    ) -> tuple[Float64[Tensor, "place time dim"], Float64[Tensor, " time"]]: ...


def decode(predictor: Latent, data: Dataset) -> Decoded:
    """Decode the windows of all test states, and the path from the first of these states to the second."""
    sampling = data.sampling
    window = slice(sampling.context - predictor.window, sampling.context)
    past = data.test.between(0, sampling.context)
    truth = past.states[:, window]
    if sampling.noise or sampling.error:
        clean = data.system.observe("test", sampling, data.seed).states[:, window]
        truth = clean[..., list(sampling.channels or range(data.dim))]
    ends = Trajectories(past.times[:2], past.states[:2])
    path, times = predictor.homotopy(ends, PLACES, round(BEFORE / sampling.step), round(AFTER / sampling.step))
    return Decoded(
        truth=truth.numpy(force=True),
        states=predictor.reconstruct(past).numpy(force=True),
        path=path.numpy(force=True),
        path_times=times.numpy(force=True) / data.system.timescale,
    )
