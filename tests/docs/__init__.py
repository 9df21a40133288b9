"""Tests of the scripts that make reports."""
