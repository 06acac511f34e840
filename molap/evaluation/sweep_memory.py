"""Memory that a sweep of perturbed networks needs; the workflow requests it, and the jobs keep to it."""

import math

from molap.config.tasks import N_STEPS

PROCESS_MB = 500
"""Peak memory in MB of a job that computes almost nothing: Python, JAX, pandas, compiled programs."""

MANY_CHANNELS = 16


def network_mb(n_units: int, n_trials: int, n_steps: int, n_channels: int) -> float:
    """Return the MB that one network needs while it runs: its rates, twice; inputs, targets, outputs and their metrics.

    Its weights count thirty times: for a draw's perturbed copies at every strength, and for the order of all places.
    """
    return 4e-6 * (n_steps * n_trials * (2 * n_units + 10 * n_channels) + 30 * n_units**2)


def sweep_mb(n_units: int, n_trials: int) -> int:
    """Return the MB that a sweep's job requests, enough for tasks of up to 16 channels, inputs and outputs together."""
    return math.ceil((PROCESS_MB + network_mb(n_units, n_trials, N_STEPS, MANY_CHANNELS)) / 100) * 100
