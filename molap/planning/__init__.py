"""Say which jobs a configuration makes, with which settings, and why one is due; nothing here computes or needs JAX."""
