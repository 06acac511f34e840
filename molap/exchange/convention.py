"""Check by a simulated step that the rows of W_rec receive, where a file holds rates beside the weights."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from molap.config.base import ConfigError

AGREES = 1e-2
"""Largest error of a step, relative to the step, of a matrix that made these rates."""
RESTING = 1e-5
"""Steps smaller than this (root mean square) tell nothing about the matrix."""
SATURATED = 0.999
"""Rates above it say nothing about the argument of tanh, and are left out of the comparison."""


class Activity(NamedTuple):
    """Rates of a network, and what drove them, under x(t + 1) = (1 − a) x(t) + a (W r(t) + d), r = tanh x."""

    rates: Float[np.ndarray, "time unit"]
    drive: Float[np.ndarray, "time unit"] | Float[np.ndarray, " unit"] | float
    """Input and biases d, by step."""
    arrives_with: int = 0
    """1 if the drive of a step is in the same step's rates (d = d(t + 1)), 0 if it is in the next one's (d = d(t))."""

    def fits(self, n_units: int) -> bool:
        """Return whether the shapes are those of a network of this size, with two steps at least."""
        drive = np.shape(self.drive)
        steps = drive[:-1] in ((), self.rates.shape[:1])
        return self.rates.ndim == 2 and len(self.rates) > 1 and self.rates.shape[1] == n_units and steps


def check_convention(w_rec: Float[np.ndarray, "unit unit"], activity: Activity, where: str) -> float:
    """Simulate every step with the matrix and with its transpose; return the error of the matrix.

    The leak a is fitted (one number), since files seldom hold it. The error is the median over steps of the largest
    deviation of a rate, divided by the root mean square of the rates' steps; 0 if the rates rest.

    Raises:
        ConfigError: in one line with both errors, if the transpose made these rates, or neither did.
    """
    own, transposed = (_error(matrix, activity) for matrix in (w_rec, w_rec.T))
    if own <= AGREES:
        return own
    errors = (
        f"a step of its own rates is off by {100 * own:.2g} % with it, by {100 * transposed:.2g} % with its transpose"
    )
    if transposed <= AGREES:
        raise ConfigError(f"{where}: its columns receive ({errors}); rows must receive, so save the transpose")
    raise ConfigError(f"{where} does not reproduce the rates in the same file ({errors}); is its nonlinearity tanh?")


def _error(w_rec: Float[np.ndarray, "unit unit"], activity: Activity) -> float:
    rates = activity.rates
    drive = np.broadcast_to(np.asarray(activity.drive, np.float64), rates.shape)
    drive = drive[1:] if activity.arrives_with else drive[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.arctanh(np.clip(rates, -1, 1))
    usable = (np.abs(rates[:-1]) < SATURATED) & (np.abs(rates[1:]) < SATURATED)
    towards = rates[:-1] @ w_rec.T + drive
    change, pull = (x[1:] - x[:-1])[usable], (towards - x[:-1])[usable]
    leak = (change @ pull) / (pull @ pull) if pull.size and pull @ pull > 0 else 1.0
    after = np.tanh(np.where(usable, x[:-1] + leak * (towards - x[:-1]), 0.0))
    off = np.where(usable, np.abs(after - rates[1:]), 0.0).max(axis=1)
    step = np.sqrt(np.mean(np.diff(rates, axis=0) ** 2))
    return float(np.median(off) / step) if step > RESTING else 0.0
