"""Tests of learners.linear."""
