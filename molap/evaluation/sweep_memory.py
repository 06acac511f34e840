"""Memory that a sweep of perturbed networks needs: what the workflow asks for, and what its jobs keep to."""

import math

from molap.config.tasks import N_STEPS

PROCESS_MB = 500
"""Peak memory of a job that computes next to nothing: Python, JAX, pandas, compiled programs."""

MANY_CHANNELS = 16


def network_mb(n_units: int, n_trials: int, n_steps: int, n_channels: int) -> float:
    """Return MB for one network while it runs: room for its rates, twice; inputs, targets, outputs and their metrics.

    Its weights count thirty times: a draw's perturbed copies at every strength, and the order of all places.
    """
    return 4e-6 * (n_steps * n_trials * (2 * n_units + 10 * n_channels) + 30 * n_units**2)


def sweep_mb(n_units: int, n_trials: int) -> int:
    """Return MB that a sweep's job asks for; enough for tasks of up to 16 channels, inputs and outputs together."""
    return math.ceil((PROCESS_MB + network_mb(n_units, n_trials, N_STEPS, MANY_CHANNELS)) / 100) * 100
