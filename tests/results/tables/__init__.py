"""Tests of results.tables."""
