"""Ratios to plain baselines, measured in one run: python -m pytest -o addopts= tests/performance."""
