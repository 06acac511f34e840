"""Draw figures from tables, and nothing else: no figure reads a network or computes a result."""
