"""What exists, read from sources: components, settings, plugins."""
