"""Tests of systems.maps."""
