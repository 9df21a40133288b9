"""Tests of learners.equations."""
