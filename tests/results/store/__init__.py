"""Tests of results.store."""
