"""Tests of bench.suites."""
