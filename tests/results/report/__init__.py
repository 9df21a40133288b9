"""Tests of results.report."""
