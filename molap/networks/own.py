"""A recurrent network that the user supplies, read from a file and checked."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from molap.config.base import CachedByFiles, ConfigError
from molap.exchange.convention import check_convention
from molap.exchange.foreign import UNOPENED, Foreign, recognise
from molap.exchange.reading import read_foreign
from molap.storage.files import save_arrays

PERTURBED = ("inter_module", "whole", "noise", "silence")
"""Perturbations that are not of a module, so that no module may have their names."""
LARGEST_RADIUS = 10
"""Largest spectral radius of W_rec, equal to the largest gain of random networks; above it every unit saturates."""


class OwnNetwork(NamedTuple):
    """A recurrent matrix with its biases and, if known, the module of every unit."""

    w_rec: Float[np.ndarray, "unit unit"]
    modules: Int[np.ndarray, " unit"] | None
    b_rec: Float[np.ndarray, " unit"] | None = None
    module_names: tuple[str, ...] = ()
    """By number of the module; empty if the file has numbers."""


@CachedByFiles  # the check covers every run of a configuration
def read_reservoir(file: str | Path) -> OwnNetwork:
    """Read a recurrent network from a file of MoLaP, PyTorch, PsychRNN, CURBD or MATLAB (`molap.exchange`).

    Raises:
        ConfigError: if the matrix is not square, not finite, or would blow up, if `modules` does not assign every unit
            to a module, or if the file's own rates show that its columns receive; the message gives the numbers.
    """
    return checked(read_foreign(file), str(file))


def bring(source: str | os.PathLike | Mapping[str, Any], file: str | Path) -> None:
    """Check a recurrent network, and save it as an `.npz` file for `reservoirs.files`.

    Args:
        source: a file, or what a fit returns in memory: a state dict of PyTorch, weights of PsychRNN, CURBD's model.
        file: the file to write; it holds `w_rec` (row: receiving unit) and, if known, `b_rec` and `modules`.

    Raises:
        ConfigError: in one line, if it is no network that can serve.
    """
    if Path(file).suffix != ".npz":
        raise ConfigError(f"file: {str(file)!r} is not allowed; a name that ends with .npz")
    if isinstance(source, Mapping):
        arrays = {str(name): _in_memory(values) for name, values in source.items()}
        arrays = {name: values for name, values in arrays.items() if name not in UNOPENED}
        network = checked(recognise(arrays, "the mapping"), "the mapping")
    elif isinstance(source, str | os.PathLike):
        network = read_reservoir(Path(source))
    else:
        raise ConfigError(
            f"source: {type(source).__name__} is not allowed; give a file, or a mapping such as {{'w_rec': matrix}}"
        )
    modules = network.modules
    if network.module_names and modules is not None:
        modules = np.array(network.module_names)[modules - 1]
    optional = {"b_rec": network.b_rec, "modules": modules}
    save_arrays(file, {}, w_rec=network.w_rec, **{name: v for name, v in optional.items() if v is not None})


def _in_memory(values: Any) -> Any:
    return values.detach().cpu().numpy() if hasattr(values, "detach") else values


def checked(found: Foreign, file: str) -> OwnNetwork:
    """Return a network that can serve as a reservoir, in single precision.

    Raises:
        ConfigError: as `read_reservoir`.
    """
    w_rec, name = np.asarray(found.w_rec), found.name
    if w_rec.ndim != 2 or w_rec.shape[0] != w_rec.shape[1] or w_rec.shape[0] < 2:
        shape = " × ".join(map(str, w_rec.shape))
        what = "a matrix of at least two units" if shape in ("0 × 0", "1 × 1") else "a square matrix"
        raise ConfigError(f"{name} of {file} is {shape or 'a number'}; {what} is needed")
    single = _single(w_rec, name, file)
    if np.abs(single).max() < np.finfo(np.float32).tiny:  # JAX takes smaller numbers for 0
        raise ConfigError(f"{name} of {file} is 0 everywhere in single precision; units would not be connected")
    radius = radius_where_large(np.asarray(w_rec, np.float64))
    if radius > LARGEST_RADIUS:
        raise ConfigError(
            f"{name} of {file} has spectral radius {radius:.3g}; above {LARGEST_RADIUS} activity blows up and every "
            "unit saturates"
        )
    b_rec = None
    if found.b_rec is not None:
        b_rec = np.asarray(found.b_rec)
        if b_rec.shape != (len(w_rec),):
            raise ConfigError(f"recurrent biases of {file} have shape {b_rec.shape}; ({len(w_rec)},) is needed")
        b_rec = _single(b_rec, "recurrent biases", file)
        b_rec = b_rec if b_rec.any() else None
    if found.activity is not None:
        if not found.activity.fits(len(w_rec)):
            raise ConfigError(
                f"rates of {file} have shape {found.activity.rates.shape}; (time, {len(w_rec)}) is needed"
            )
        check_convention(np.asarray(w_rec, np.float64), found.activity, f"{name} of {file}")
    modules, names = _modules(found.modules, len(w_rec), file)
    return OwnNetwork(single, modules, b_rec, names)


def _single(values: np.ndarray, name: str, file: str) -> np.ndarray:
    if not np.issubdtype(values.dtype, np.floating) and not np.issubdtype(values.dtype, np.integer):
        raise ConfigError(f"{name} of {file} holds {values.dtype}; real numbers are needed")
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    bad = np.argwhere(~np.isfinite(single))
    if len(bad):
        at = ", ".join(f"{axis} {i}" for axis, i in zip(("row", "column"), bad[0], strict=False))
        raise ConfigError(
            f"{name} of {file} has entries that are not finite in single precision: {len(bad)} of {values.size}, the "
            f"first {values[tuple(bad[0])]} at {at}"
        )
    return single


def sizes_of_modules(file: str | Path) -> list[int]:
    """Return the number of units of every module that a file names; of all units, if it names none."""
    network = read_reservoir(file)
    return [len(network.w_rec)] if network.modules is None else np.bincount(network.modules)[1:].tolist()


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


def _modules(modules: Any, n_units: int, file: str) -> tuple[Int[np.ndarray, " unit"] | None, tuple[str, ...]]:
    """Return the number, from 1, of every unit's module, and the modules' names if the file has names."""
    if modules is None:
        return None, ()
    modules = np.asarray(modules)
    if modules.dtype == object and all(isinstance(name, str) for name in modules.flat):
        modules = modules.astype(str)
    if modules.shape == (n_units,) and modules.dtype.kind == "U":
        names = tuple(dict.fromkeys(modules.tolist()))
        for number, name in enumerate(names, start=1):
            if name.isdigit():
                raise ConfigError(f"modules of {file} has the name {name!r}; give numbers as numbers, not as text")
            if name != name.strip() or not name.isprintable():
                raise ConfigError(
                    f"modules of {file} has the name {name!r}; a name is one line of printable characters, without "
                    "space around it"
                )
            if not name or name in PERTURBED or (re.fullmatch(r"module\d*", name) and name != f"module{number}"):
                raise ConfigError(
                    f"modules of {file} has the name {name!r}, which means something else to perturbations; rename it"
                )
        return np.array([names.index(name) + 1 for name in modules.tolist()], np.int64), names
    if modules.shape != (n_units,) or not np.issubdtype(modules.dtype, np.integer):
        raise ConfigError(
            f"modules of {file} has shape {modules.shape} and type {modules.dtype}; {n_units} integers are needed, the "
            "module of every unit, or as many names"
        )
    found = sorted(set(modules.tolist()))
    if found != list(range(1, len(found) + 1)):
        raise ConfigError(f"modules of {file} are {found}; 1, 2, … without gaps are needed")
    return modules.astype(np.int64), ()
