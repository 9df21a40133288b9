"""Tests of learners.solvers."""
