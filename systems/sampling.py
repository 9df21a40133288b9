"""How a dataset is made: a system is observed part by part, noise is added, and channels are left out."""

import torch

from systems.base import System
from systems.protocol import Sampling, stream
from systems.trajectories import PARTS, Dataset, Trajectories


def sample(system: System, sampling: Sampling, seed: int) -> Dataset:
    """Observe a system: a pure function of its arguments, with the same bytes in any process.

    Raises FloatingPointError where the reference solution leaves the finite numbers, and ValueError where the system
    cannot be observed in this way.
    """
    sampling = system.adapt(sampling, seed)
    if sampling.channels and sampling.channels[-1] >= system.dim:
        raise ValueError(
            f"Sampling.channels={sampling.channels} has channel {sampling.channels[-1]}, but those of "
            f"{type(system).__name__} are 0 to {system.dim - 1}: leave it out"
        )
    clean = {part: system.observe(part, sampling, seed) for part in PARTS}
    scale = sampling.noise * clean["train"].states.numpy().std(axis=(0, 1)) + sampling.error
    parts = {}
    for part, trajectories in clean.items():
        states = trajectories.states.numpy().copy()
        given = slice(sampling.context if part in ("test", "climate") else None)
        if sampling.noise or sampling.error:
            rng = stream(seed, part, "noise")
            states[:, given] += scale * rng.standard_normal(states[:, given].shape)
        if sampling.channels:
            states = states[..., list(sampling.channels)]
        parts[part] = Trajectories(trajectories.times, torch.from_numpy(states))
    return Dataset(system.source, sampling, seed, **parts)
