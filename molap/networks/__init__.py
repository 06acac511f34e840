"""Hold the recurrent network and its gradient, which weights train, and a user's own network; no training is here."""
