"""Metrics: measures of what was learned and of what it cost."""

from metrics.base import Better, Cost, Evidence, Metric

__all__ = ["Better", "Cost", "Evidence", "Metric"]
