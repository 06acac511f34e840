"""Estimate how many networks would decide an undecided claim, from the spread of the existing ones."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from molap.analysis.intervals import CONFIDENCE, half_width
from molap.claims.functions import MIN_NETWORKS

MOST = 10_000
"""Largest number of networks that is tried."""
NUMBERS = np.arange(MIN_NETWORKS, MOST + 1)


class Spread(NamedTuple):
    """Describe a part's effect over networks, and the limits within which it must lie."""

    effects: tuple[tuple[float, float], ...]
    """Mean and standard deviation over networks, with n − 1 in the denominator; one of several effects is enough."""
    limits: tuple[float, float]
    margin: float | None
    """Effects within ± this are practically equal to zero; None if the part cannot have that verdict."""


def networks_needed(parts: Sequence[Spread], n_parts: int) -> float:
    """Return the smallest number of networks that would decide a claim if means and deviations stayed as they are.

    Args:
        parts: the parts of the claim that have a mean over networks.
        n_parts: number of all parts of the claim; the error of a refutation is divided among them.

    Returns:
        The number of networks, or infinity if `MOST` would not be enough.
    """
    verdicts = [_decided(part, n_parts) for part in parts]
    enough = np.any([fails for fails, _ in verdicts], axis=0) | np.all([known for _, known in verdicts], axis=0)
    return float(NUMBERS[enough.argmax()]) if enough.any() else float("inf")


def _decided(part: Spread, n_parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each of `NUMBERS`, whether that many networks refute the part, and whether they decide it at all."""
    low, high = part.limits
    mean, deviation = (np.array(values)[:, None] for values in zip(*part.effects, strict=True))
    inner, outer = deviation * _widths(len(part.effects)), deviation * _widths(n_parts)
    holds = ((mean - inner > low) & (mean + inner < high)).any(axis=0)
    fails = ((mean + outer <= low) | (mean - outer >= high)).all(axis=0) & ~holds
    equal = np.zeros(len(NUMBERS), bool)
    if part.margin is not None:
        equal = (abs(mean) + deviation * _widths(1) < part.margin).all(axis=0)
    return fails, holds | fails | equal


@functools.cache
def _widths(n_shares: int) -> np.ndarray:
    """Return an interval's half-width for a deviation of 1 and each of `NUMBERS`; the error is divided in shares."""
    return np.asarray(half_width(1.0, NUMBERS, 1 - (1 - CONFIDENCE) / n_shares))
