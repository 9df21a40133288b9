"""Systems that are simulated."""
