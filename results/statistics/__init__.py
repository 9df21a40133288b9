"""Statistics of trials."""
