"""Perturbations of a trained network (A.4): lesioned weights, silenced units, noise on the weights.

A perturbation is a function (key, network, strength, readings, module of every unit) → (network, number of entries or
units hit). The same key hits the same places at every strength: a lesion of 10 % of the weights contains the 5 % of a
weaker one, and noise of σ = 0.02 is twice the noise of σ = 0.01. Every perturbation changes weights; silencing a unit
removes all that it sends.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from molap.config.perturbations import PerturbationReadings
from molap.networks.rnn import Params

Modules = tuple[int, ...]
"""The module, from 1, of every unit."""

Perturbation = Callable[[Key[Array, ""], Params, float, PerturbationReadings, Modules], tuple[Params, int]]
"""(key, network, strength, readings, module of every unit) → (perturbed network, number hit)."""


def module_of(n_units: int, n_modules: int) -> Modules:
    """Return the module of every unit; modules are blocks of consecutive units, as equal in size as possible."""
    return tuple((np.arange(n_units) * n_modules // n_units + 1).tolist())


def within_module(modules: Modules, module: int) -> Bool[np.ndarray, "unit unit"]:
    """Mark the entries from and to units of one module."""
    own = np.array(modules) == module
    return own[:, None] & own[None, :]


def between_modules(modules: Modules) -> Bool[np.ndarray, "unit unit"]:
    """Mark the entries from a unit of one module to a unit of another."""
    module = np.array(modules)
    return module[:, None] != module[None, :]


def number_hit(percent: float, n_places: int) -> int:
    """Return `percent` of `n_places`, rounded down; exact for decimal percentages (29 % of 100 is 29)."""
    return math.floor(Fraction(repr(float(percent))) * n_places / 100)


def choose(key: Key[Array, ""], percent: float, places: Int[np.ndarray, " place"]) -> Int[Array, " hit"]:
    """Choose a percentage of `places` without replacement; a larger percentage contains the choice of a smaller one."""
    order = jnp.argsort(jax.random.uniform(key, places.shape))
    return jnp.asarray(places)[order[: number_hit(percent, len(places))]]


def lesion_module(
    key: Key[Array, ""],
    network: Params,
    percent: float,
    readings: PerturbationReadings,
    modules: Modules,
    module: int,
) -> tuple[Params, int]:
    """Set a percentage of the recurrent weights within a module to zero."""
    del readings
    return _lesion(key, network, percent, within_module(modules, module))


def lesion_between(
    key: Key[Array, ""], network: Params, percent: float, readings: PerturbationReadings, modules: Modules
) -> tuple[Params, int]:
    """Set a percentage of the weights between modules to zero; in the released code, of all weights."""
    if readings.inter_module_as == "whole":
        return lesion_whole(key, network, percent, readings, modules)
    return _lesion(key, network, percent, between_modules(modules))


def lesion_whole(
    key: Key[Array, ""], network: Params, percent: float, readings: PerturbationReadings, modules: Modules
) -> tuple[Params, int]:
    """Set a percentage of all recurrent weights to zero; in the released code, including recurrent biases."""
    del modules
    everywhere = np.ones(network.w_rec.shape, bool)
    return _lesion(key, network, percent, everywhere, network.b_rec if readings.biases == "hit" else None)


def _lesion(
    key: Key[Array, ""],
    network: Params,
    percent: float,
    entries: Bool[np.ndarray, "unit unit"],
    biases: Float[Array | np.ndarray, " unit"] | None = None,
) -> tuple[Params, int]:
    places = np.flatnonzero(entries)
    weights = jnp.ravel(network.w_rec)
    if biases is not None:  # one more row of the released code's matrix
        places = np.concatenate([places, weights.size + np.arange(biases.size)])
        weights = jnp.concatenate([weights, biases])
    hit = choose(key, percent, places)
    weights = weights.at[hit].set(0)
    if biases is not None:
        network = network._replace(b_rec=weights[network.w_rec.size :])
    return network._replace(w_rec=weights[: network.w_rec.size].reshape(network.w_rec.shape)), hit.size


def silence(
    key: Key[Array, ""], network: Params, percent: float, readings: PerturbationReadings, modules: Modules
) -> tuple[Params, int]:
    """Clamp a percentage of units at zero: they send nothing to other units or, unless as released, to the readout."""
    del modules
    hit = choose(key, percent, np.arange(network.w_rec.shape[0]))
    network = network._replace(w_rec=jnp.asarray(network.w_rec).at[:, hit].set(0))
    if readings.silencing == "activity":
        network = network._replace(w_out=jnp.asarray(network.w_out).at[:, hit].set(0))
    return network, hit.size


def add_noise(
    key: Key[Array, ""], network: Params, std: float, readings: PerturbationReadings, modules: Modules
) -> tuple[Params, int]:
    """Add N(0, σ²) to every recurrent weight; in the released code, also to recurrent biases."""
    del modules
    of_weights, of_biases = jax.random.split(key)
    w_rec = network.w_rec + std * jax.random.normal(of_weights, network.w_rec.shape)
    if readings.biases == "kept" or network.b_rec is None:
        return network._replace(w_rec=w_rec), w_rec.size
    b_rec = network.b_rec + std * jax.random.normal(of_biases, network.b_rec.shape)
    return network._replace(w_rec=w_rec, b_rec=b_rec), w_rec.size + b_rec.size


PERTURBATIONS: dict[str, Callable[..., tuple[Params, int]]] = {
    "module": lesion_module,
    "inter_module": lesion_between,
    "whole": lesion_whole,
    "noise": add_noise,
    "silence": silence,
}
"""Perturbations by the name of their strengths in the configuration; `module` is one perturbation per module."""


def find(name: str) -> Perturbation:
    """Return a perturbation by name; `module2` is the lesion of the second module."""
    module = re.fullmatch(r"module(\d+)", name)
    return partial(PERTURBATIONS["module"], module=int(module[1])) if module else PERTURBATIONS[name]
