"""Tests of learners.latent."""
