"""Tests of bench.timing."""
