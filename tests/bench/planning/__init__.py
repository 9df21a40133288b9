"""Tests of bench.planning."""
