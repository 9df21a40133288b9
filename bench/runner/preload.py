"""What the fork server imports: all that cells are made of, with the sources as they are at that moment."""

import safetensors.torch

from bench.catalogue import sources
from bench.cells import classifying
from bench.machine import environment
from bench.runner import processes, worker

__all__ = ["classifying", "processes", "safetensors", "worker"]

sources.freeze()
environment.environment("cpu", threads=1)  # what it looks up need not be looked up by each cell
