"""Solvers of learned fields."""
