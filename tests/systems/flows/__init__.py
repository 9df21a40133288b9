"""Tests of systems.flows."""
