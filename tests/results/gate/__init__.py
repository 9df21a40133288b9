"""Tests of results.gate."""
