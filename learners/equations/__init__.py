"""Learners of known and half-known equations."""
