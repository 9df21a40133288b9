"""Bench: suites, the runner and the command line."""
