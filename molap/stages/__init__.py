"""One program per rule of the workflow, each run as `python -m molap.stages.NAME`.

A program uses one thread and caches on disk what XLA compiles, so that the second program of a kind need not compile.
NumPy and JAX read such settings when they are loaded; they are therefore fixed here, before either is imported.
"""

import molap.jobs.fixed  # noqa: F401  (its effect is what is wanted)
