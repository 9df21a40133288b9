"""Tuning settings on validation data."""
