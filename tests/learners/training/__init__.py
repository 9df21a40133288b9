"""Tests of learners.training."""
