"""Tests of the benchmark, and the stubs and problems that they share."""
