"""Tests of bench.catalogue."""
