"""Hold the recurrent network and its gradient, which weights train, and a network of one's own; no training is here."""
