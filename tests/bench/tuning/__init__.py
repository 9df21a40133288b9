"""Tests of bench.tuning."""
