"""Timings: how they are read, compared and shown."""
