"""Run many perturbed networks on one test set, a few at a time."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from molap.config.perturbations import PerturbationReadings
from molap.evaluation.perturbations import Modules, find, module_of
from molap.evaluation.sweep_memory import PROCESS_MB
from molap.networks.rnn import Params, run, stack_networks
from molap.randomness import named_key

LARGEST_BATCH = 256
"""Largest number of networks that run at once on a GPU; more are not faster."""


class Perturbed(NamedTuple):
    """A perturbed network, with its strength, draw and number of places hit."""

    strength: float
    draw: int
    n_hit: int
    network: Params


@jax.jit
def outputs(
    params: Params,
    inputs: Float[Array, "time trial channel"],
    noise: Float[Array | np.ndarray, "time trial unit"] | None = None,
) -> Float[Array, "time trial output"]:
    """Return the outputs of `molap.networks.rnn.run` without keeping the rates."""
    return run(params, inputs, noise)[0]


_outputs_of_several = jax.jit(jax.vmap(outputs, in_axes=(0, None, None)))


def perturbation_key(data_seed: int, name: str, network_seed: int) -> Key[Array, ""]:
    """Return the key of a perturbation's draws: the same for networks of every kind, so that kinds are paired."""
    return named_key(data_seed, "perturbation", name, network_seed)


def modules_of(arrays: dict[str, np.ndarray], n_units: int, n_modules: int) -> Modules:
    """Return the module of every unit: as stored in the network's file, or else equal blocks."""
    return tuple(arrays["modules"].tolist()) if "modules" in arrays else module_of(n_units, n_modules)


def perturb(
    key: Key[Array, ""],
    draw: int | Int[Array, ""],
    network: Params,
    name: str,
    strengths: tuple[float, ...],
    readings: PerturbationReadings,
    modules: Modules,
) -> list[tuple[Params, Int[Array, ""]]]:
    """Return one draw of a perturbation at several strengths, as (network, number hit) for each strength."""
    found = _perturbed(key, draw, network, name, strengths, readings, modules)
    return [(network._replace(**weights), n_hit) for weights, n_hit in found]


@partial(jax.jit, static_argnames=("name", "strengths", "readings", "modules"))
def _perturbed(key, draw, network: Params, name, strengths, readings, modules) -> list[tuple[dict[str, Array], int]]:
    """Return the weights that a perturbation changes; so the program does not depend on the shapes of the others."""
    key, found = jax.random.fold_in(key, draw), []
    for strength in strengths:
        after, n_hit = find(name)(key, network, strength, readings, modules)
        weights = after._asdict().items()
        found.append(({name: value for name, value in weights if value is not getattr(network, name)}, n_hit))
    return found


def run_many(
    networks: Iterable[Perturbed],
    inputs: Float[np.ndarray, "time trial channel"],
    noise: Float[Array | np.ndarray, "time trial unit"] | None,
    batch: int = 1,
) -> Iterator[tuple[Perturbed, Float[np.ndarray, "time trial output"]]]:
    """Yield the outputs of each network, running `batch` of them at once, which helps on a GPU; on a CPU use 1."""
    waiting: list[Perturbed] = []
    for item in networks:
        waiting.append(item)
        if len(waiting) == batch:
            yield from _run_batch(waiting, inputs, noise, batch)
            waiting = []
    if waiting:
        yield from _run_batch(waiting, inputs, noise, batch)


def _run_batch(items: list[Perturbed], inputs, noise, batch: int):
    if batch == 1:
        return [(items[0], np.asarray(outputs(items[0].network, inputs, noise)))]
    filled = items + items[-1:] * (batch - len(items))
    stacked = stack_networks([item.network for item in filled])
    return zip(items, np.asarray(_outputs_of_several(stacked, inputs, noise)), strict=False)


def batch_size(memory_mb: float, each_mb: float, backend: str | None = None) -> int:
    """Return how many networks run at once in the given memory: one on a CPU, where it is fastest, else all that fit.

    Raises:
        ValueError: if not even one fits.
    """
    if memory_mb < PROCESS_MB + each_mb:
        raise ValueError(
            f"mem_mb: {memory_mb:.0f} is not enough; one network on this test set needs {PROCESS_MB + each_mb:.0f} MB"
        )
    if (backend or jax.default_backend()) == "cpu":
        return 1
    return int(min((memory_mb - PROCESS_MB) / each_mb, LARGEST_BATCH))
