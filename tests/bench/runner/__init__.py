"""Tests of bench.runner."""
