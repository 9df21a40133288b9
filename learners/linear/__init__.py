"""Learners that are fitted by linear least squares."""
