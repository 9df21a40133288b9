"""What the fork server imports: all that cells are made of, with the sources as they are at that moment."""

from bench import classification, environment, key, worker

__all__ = ["classification", "worker"]

key.freeze()
environment.environment("cpu", threads=1)  # what it looks up need not be looked up by each cell
