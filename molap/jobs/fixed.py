"""Import this before NumPy and JAX: it fixes the settings on which numbers depend (`molap.jobs.surroundings`)."""

from molap.jobs.surroundings import fix

IGNORED = fix()
"""The user's variables that are not heeded, as `NAME=value`."""
