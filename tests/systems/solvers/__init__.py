"""Tests of systems.solvers."""
