"""Tests of bench.display."""
