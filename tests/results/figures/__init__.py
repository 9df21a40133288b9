"""Tests of results.figures."""
