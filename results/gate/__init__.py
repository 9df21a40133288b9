"""The gate: baselines, comparisons and regressions."""
