"""Draw trials of the nine tasks, and the corpus built from them."""
