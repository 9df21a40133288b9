"""Tests of systems.recordings."""
