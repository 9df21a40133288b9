"""Certificates of systems."""
