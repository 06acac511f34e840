"""Draw the trials of the nine tasks and the corpus made of them; what learns from them is elsewhere."""
