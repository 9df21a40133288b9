"""Timing updates and forecasts."""
