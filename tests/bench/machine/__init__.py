"""Tests of bench.machine."""
