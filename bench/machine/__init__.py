"""The machine: what it is, and what a computation takes of it."""
