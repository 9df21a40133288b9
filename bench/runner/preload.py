"""What the fork server imports: all that cells are made of, with the sources as they are at that moment."""

import safetensors.torch
import torch._dynamo  # which optimisers and dispatch modes load at their first use, in two seconds

from bench.catalogue import sources
from bench.cells import classifying
from bench.machine import environment
from bench.runner import processes, worker

__all__ = ["classifying", "processes", "safetensors", "torch", "worker"]

sources.freeze()
environment.environment("cpu", threads=1)  # what it looks up need not be looked up by each cell
