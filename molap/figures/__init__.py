"""Draw figures from tables; no figure reads a network or computes a result."""
