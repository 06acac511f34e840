"""Decide when a decision is correct, and run trained and perturbed networks on test trials."""
