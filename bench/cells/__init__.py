"""Cells: one system met by one learner, fitted and measured."""
