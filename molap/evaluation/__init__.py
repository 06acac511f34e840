"""Say when a decision is right, and run networks on test trials, as trained and perturbed; nothing is trained here."""
