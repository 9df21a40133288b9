"""The suites that come with the package: one file each, which defines `suite = Suite(...)`."""
