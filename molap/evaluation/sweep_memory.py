"""Memory that a sweep of perturbed networks needs; the workflow requests it, and the jobs keep to it."""

import math

from molap.config.tasks import MOST_CHANNELS, N_STEPS

PROCESS_MB = 500
"""Peak memory in MB of a job that computes almost nothing: Python, JAX, pandas, compiled programs."""


def network_mb(n_units: int, n_trials: int, n_steps: int, n_channels: int) -> float:
    """Return the MB that one network needs while it runs: its rates, twice; inputs, targets, outputs and their metrics.

    Its weights count thirty times: for a draw's perturbed copies at every strength, and for the order of all places.
    """
    return 4e-6 * (n_steps * n_trials * (2 * n_units + 10 * n_channels) + 30 * n_units**2)


def sweep_mb(n_units: int, n_trials: int, n_steps: int = N_STEPS, n_channels: int = MOST_CHANNELS) -> int:
    """Return the MB that a sweep's job requests; `n_channels` counts inputs and outputs together."""
    return math.ceil((PROCESS_MB + network_mb(n_units, n_trials, n_steps, n_channels)) / 100) * 100
