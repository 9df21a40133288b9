"""Tests of learners.images."""
