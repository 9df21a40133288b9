"""Maps: systems in discrete time."""
