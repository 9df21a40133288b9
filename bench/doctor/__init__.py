"""The doctor: certificates of systems, and known cases of instruments."""
