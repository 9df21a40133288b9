"""Networks, stacked by seed."""
