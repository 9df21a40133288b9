"""Tests of bench.exports."""
