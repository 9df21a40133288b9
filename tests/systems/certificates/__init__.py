"""Tests of systems.certificates."""
