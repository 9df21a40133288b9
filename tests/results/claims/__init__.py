"""Tests of results.claims."""
