"""Recorded trajectories."""
