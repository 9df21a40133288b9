"""Bench: suites, the runner and the command line. Importing it makes our packages win over files of the same names."""

from bench.importing import install

install()
