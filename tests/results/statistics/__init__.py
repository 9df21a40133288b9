"""Tests of results.statistics."""
