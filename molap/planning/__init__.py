"""Determine the jobs that a configuration needs, their settings, and why a job is due. Planning does not need JAX."""
