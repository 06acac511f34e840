"""Strict arithmetic in all tests: no silent rank or dtype promotion across ranks, no 64-bit surprises."""

import molap.stages  # noqa: F401  (one thread, before NumPy and JAX are loaded)

import os

os.environ.pop("JAX_COMPILATION_CACHE_DIR", None)

import jax

jax.config.update("jax_numpy_dtype_promotion", "standard")
