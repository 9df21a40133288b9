"""Tests of bench.cells."""
