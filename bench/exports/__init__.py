"""What a run writes for other programs: films and trackers."""
