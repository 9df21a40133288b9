"""Claims of the literature, tested on results."""
