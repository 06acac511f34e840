"""Train networks: objectives, optimiser, loop, DNI, the search for settings; how good they are is said elsewhere."""
