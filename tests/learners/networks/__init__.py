"""Tests of learners.networks."""
