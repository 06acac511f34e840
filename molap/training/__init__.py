"""Train networks: objectives, optimiser, training loop, DNI, and the search for settings."""
