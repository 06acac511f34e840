"""Fixed points of a network under a constant input, by SciPy's root finder.

Dedicated tools exist (FixedPointFinder by Golub and Sussillo, 2018, joss.01003); they need TensorFlow or PyTorch.
`scipy.optimize.root` is maintained, is installed with scikit-learn, and takes the exact Jacobian. It finds
true fixed points and leaves out slow points, where the speed is small but not zero.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Float
from scipy.optimize import root

from molap.config.base import ConfigError
from molap.networks.rnn import Params

LARGEST_SPEED = 1e-9
"""Largest |F(h) − h| of a point that counts as fixed."""
APART = 1e-4
"""Two points whose rates differ by less are one."""


class FixedPoints(NamedTuple):
    """Points at which the rates stay as they are."""

    points: Float[np.ndarray, "point unit"]
    """Rates, −1 to 1."""
    eigenvalues: Complex[np.ndarray, "point unit"]
    """Of the Jacobian of one step, largest modulus first; a point is stable if all lie within the unit circle."""
    n_found: Float[np.ndarray, " point"]
    """Number of starts that led to the point."""

    @property
    def stable(self) -> Bool[np.ndarray, " point"]:
        """Tell for each point whether small deviations from it die out."""
        return np.abs(self.eigenvalues[:, 0]) < 1


def find_fixed_points(
    params: Params, inputs: Float[np.ndarray, " channel"], starts: Float[np.ndarray, "start unit"]
) -> FixedPoints:
    """Solve h = F(h) = tanh(W_rec h + W_in x + b_rec) from every start, in double precision.

    Args:
        params: one network.
        inputs: the input x, constant in time.
        starts: rates from which to search, such as states on trajectories (`trajectories(...)[85]`).

    Returns:
        The distinct points, those that most starts led to first; none if no start led to one.

    Raises:
        ConfigError: if the shapes do not fit the network.
    """
    w_rec, w_in = (np.asarray(values, np.float64) for values in (params.w_rec, params.w_in))
    x, starts = np.asarray(inputs, np.float64), np.atleast_2d(np.asarray(starts, np.float64))
    n_units, n_channels = w_in.shape
    if x.shape != (n_channels,) or starts.shape[1:] != (n_units,):
        raise ConfigError(
            f"inputs, starts: shapes {x.shape} and {starts.shape} are not allowed; ({n_channels},) and "
            f"(start, {n_units})"
        )
    drive = w_in @ x + (0 if params.b_rec is None else np.asarray(params.b_rec, np.float64))

    def speed(h):
        return np.tanh(w_rec @ h + drive) - h

    def slope(h):
        return (1 - np.tanh(w_rec @ h + drive) ** 2)[:, None] * w_rec - np.eye(n_units)

    points: list[Float[np.ndarray, " unit"]] = []
    counts: list[int] = []
    for start in starts:
        h = root(speed, start, jac=slope, method="hybr", tol=1e-12).x
        if not np.abs(speed(h)).max() <= LARGEST_SPEED:
            continue
        same = [i for i, other in enumerate(points) if np.abs(other - h).max() < APART]
        if same:
            counts[same[0]] += 1
        else:
            points.append(h)
            counts.append(1)
    order = np.argsort(-np.array(counts), kind="stable") if counts else np.zeros(0, int)
    found = np.array(points).reshape(-1, n_units)[order]
    values = np.array([_eigenvalues(slope(h) + np.eye(n_units)) for h in found], np.complex128).reshape(-1, n_units)
    return FixedPoints(found, values, np.array(counts, np.float64)[order])


def _eigenvalues(jacobian: Float[np.ndarray, "unit unit"]) -> Complex[np.ndarray, " unit"]:
    values = np.linalg.eigvals(jacobian).astype(np.complex128)
    return values[np.argsort(-np.abs(values), kind="stable")]
