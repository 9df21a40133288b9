"""Tests of bench.doctor."""
