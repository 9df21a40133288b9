"""Other people's tables: their data, their protocols and their scores, for our learners."""
