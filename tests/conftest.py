"""Tests run as the stages do: one thread, set before NumPy and JAX are loaded."""

import molap.stages  # noqa: F401
