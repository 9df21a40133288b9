"""Streams of random numbers: one for each seed and purpose."""

import numpy as np
import torch


def stream(seed: int, purpose: str) -> torch.Generator:
    """The random stream of one seed for one purpose, on the CPU, independent of all others."""
    state = np.random.SeedSequence([seed, *purpose.encode()]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))
