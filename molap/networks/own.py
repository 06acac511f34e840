"""A recurrent network that the user supplies, read from a file and checked."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from molap.config.base import CachedByFiles, ConfigError
from molap.storage.arrays_of_user import read_user_arrays

LARGEST_RADIUS = 10
"""Largest spectral radius of W_rec, equal to the largest gain of random networks; above it every unit saturates."""
ARRAYS = ("w_rec", "modules")
"""What a file may hold; what else it holds would be ignored, and is refused."""
MEANT = dict.fromkeys(("module", "area", "areas", "region", "regions", "population", "populations"), "modules")
MEANT |= dict.fromkeys(("w", "wrec", "weights", "recurrent", "j", "w_recurrent", "weight_hh"), "w_rec")
"""Other names of arrays, in small letters → the name that is meant."""
NO_BIASES = "biases are not taken over (network.biases gives units biases that are trained); leave it out"
NO_READOUT = "input and readout weights are drawn and trained for every task; leave it out"
REASONS = dict.fromkeys(("b_rec", "b_out", "h0"), NO_BIASES) | dict.fromkeys(("w_in", "w_out"), NO_READOUT)
"""Arrays of networks that do not serve here → why."""


class OwnNetwork(NamedTuple):
    """A recurrent matrix and, if known, the module of every unit."""

    w_rec: Float[np.ndarray, "unit unit"]
    modules: Int[np.ndarray, " unit"] | None


@CachedByFiles  # the check covers every run of a configuration
def read_reservoir(file: str | Path) -> OwnNetwork:
    """Read `w_rec` (row: receiving unit) and, if present, `modules` (from 1) from an `.npz` file.

    Raises:
        ConfigError: if the matrix is not square, not finite, or would blow up, or if `modules` does not assign every
            unit to a module; the message gives the numbers.
    """
    try:
        arrays = read_user_arrays(file, ARRAYS, MEANT, REASONS)
    except ValueError as error:
        raise ConfigError(f"{file} {error}") from None
    if "w_rec" not in arrays:
        raise ConfigError(f"{file} holds {', '.join(arrays) or 'nothing'}; an array w_rec is needed")
    w_rec = arrays["w_rec"]
    if w_rec.ndim != 2 or w_rec.shape[0] != w_rec.shape[1] or w_rec.shape[0] < 2:
        shape = " × ".join(map(str, w_rec.shape))
        raise ConfigError(f"w_rec of {file} is {shape or 'a number'}; a square matrix is needed")
    if not np.issubdtype(w_rec.dtype, np.floating) and not np.issubdtype(w_rec.dtype, np.integer):
        raise ConfigError(f"w_rec of {file} holds {w_rec.dtype}; real numbers are needed")
    with np.errstate(over="ignore"):
        single = w_rec.astype(np.float32)
    bad = np.argwhere(~np.isfinite(single))
    if len(bad):
        row, column = bad[0]
        raise ConfigError(
            f"w_rec of {file} has entries that are not finite in single precision: {len(bad)} of {w_rec.size}, the "
            f"first {w_rec[row, column]} at row {row}, column {column}"
        )
    if not single.any():
        raise ConfigError(f"w_rec of {file} is 0 everywhere in single precision; units would not be connected")
    radius = radius_where_large(np.asarray(w_rec, np.float64))
    if radius > LARGEST_RADIUS:
        raise ConfigError(
            f"w_rec of {file} has spectral radius {radius:.3g}; above {LARGEST_RADIUS} activity blows up and every "
            "unit saturates"
        )
    return OwnNetwork(single, _modules(arrays.get("modules"), len(w_rec), file))


def smallest_module(file: str | Path) -> int | None:
    """Return the number of units of the smallest module that a file names; None if it names none."""
    modules = read_reservoir(file).modules
    return None if modules is None else int(np.bincount(modules)[1:].min())


def radius_where_large(w_rec: Float[np.ndarray, "unit unit"]) -> float:
    """Return the spectral radius if it may exceed `LARGEST_RADIUS`, and otherwise an upper bound below it.

    ρ(W) ≤ ‖Wᵏ‖^(1/k) for k = 1, 2, 4, 8, each a product more; most matrices need two. The eigenvalues of a thousand
    units take seconds, and every job on a cluster reads the configuration.
    """
    power = w_rec
    with np.errstate(over="ignore", invalid="ignore"):
        for k in (1, 2, 4, 8):
            bound = np.linalg.norm(power) ** (1 / k)
            if bound <= LARGEST_RADIUS:
                return float(bound)
            power = power @ power if k < 8 else power
    return float(np.abs(np.linalg.eigvals(w_rec)).max())


def content_digest(file: str | Path) -> str:
    """Return the digest (12 hex digits) of a file's bytes."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:12]


def _modules(modules: np.ndarray | None, n_units: int, file: str | Path) -> Int[np.ndarray, " unit"] | None:
    if modules is None:
        return None
    if modules.shape != (n_units,) or not np.issubdtype(modules.dtype, np.integer):
        raise ConfigError(
            f"modules of {file} has shape {modules.shape} and type {modules.dtype}; {n_units} integers are needed, the "
            "module of every unit"
        )
    found = sorted(set(modules.tolist()))
    if found != list(range(1, len(found) + 1)):
        raise ConfigError(f"modules of {file} are {found}; 1, 2, … without gaps are needed")
    return modules.astype(np.int64)
