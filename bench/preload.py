"""What the fork server imports: all that cells are made of, with the sources as they are at that moment."""

from bench import key, worker

__all__ = ["worker"]

key.freeze()
