"""The search for what the text leaves open about training: many candidates in one program.

Candidates that differ in numbers alone (rates, clipping, initial weights) are networks side by side, as network seeds
are; those with another number of steps, batch or schedule are trained one group after the other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from molap.config.network import InitSettings
from molap.config.training import PhaseSettings
from molap.config.tune import Candidate
from molap.networks.masks import Trainable
from molap.networks.rnn import Params
from molap.training.loop import DrawBatch, Protection, Recipe, Varied, Watch, train

GROUPED = ("n_steps", "batch_size", "decay", "batches")
"""Names what takes another program."""


class Trial(NamedTuple):
    """Names a network of the search: who trains it, and the seed that it is drawn from."""

    candidate: Candidate
    seed: int


def trials(candidates: tuple[Candidate, ...], seeds: tuple[int, ...]) -> list[Trial]:
    """Return every candidate with every network seed."""
    return [Trial(candidate, seed) for candidate in candidates for seed in seeds]


def pretraining_of(candidate: Candidate, n_steps: int) -> Candidate:
    """Return how a candidate pre-trains: with pre-training's own rate and steps, and all else as the candidate says."""
    return candidate.model_copy(update={"learning_rate": None, "n_steps": n_steps})


def init_of(candidate: Candidate, init: InitSettings) -> InitSettings:
    """Return how a candidate's weights are drawn."""
    return init.model_copy(update={"readout_init": candidate.readout_init})


def train_candidates(
    candidates: list[Candidate],
    params: Params,
    trainable: Trainable,
    draw_of: Callable[[int], DrawBatch],
    keys: Key[Array, " network"],
    recipe: Recipe,
    protection: Protection | None = None,
    progress: Callable[[int, int, float], None] = lambda step, n_steps, mse: None,
) -> Params:
    """Train one network for each candidate given.

    Args:
        candidates: by network; the same one may stand more than once, with other weights and keys.
        params: initial weights, with a leading axis of networks.
        trainable: what is trained, as for `molap.training.loop.train`.
        draw_of: batch size → what draws a batch.
        keys: by network.
        recipe: as for `molap.training.loop.train`; the candidates replace the phase's rates, steps and batch size, and
            fields of the optimiser.
        protection: as for `molap.training.loop.train`, with a leading axis of networks.
        progress: called now and then with the steps done, those of the group that is trained, and its mean MSE.

    Returns:
        The trained networks, in the order given. One that diverged has weights that are not finite.
    """
    groups: dict[tuple, list[int]] = {}
    for i, candidate in enumerate(candidates):
        groups.setdefault(tuple(getattr(candidate, name) for name in GROUPED), []).append(i)
    found: list[Params] = []
    for (n_steps, batch_size, decay, batches), members in groups.items():
        at = np.array(members)
        phase = recipe.phase.model_copy(update={"n_steps": n_steps, "batch_size": batch_size})
        optimiser = recipe.optimiser.model_copy(update={"decay": decay, "batches": batches})
        trained, _ = train(
            _at(at, params),
            trainable,
            draw_of(batch_size),
            keys[at],
            Recipe(phase, optimiser, recipe.objective),
            Watch(lambda step, mse, n_steps=n_steps: progress(step, n_steps, mse)),
            protection and protection._replace(own=_at(at, protection.own)),
            varied([candidates[i] for i in members], phase),
            strict=False,
        )
        found.append(trained)
    in_order = np.argsort(np.concatenate(list(groups.values())))
    return jax.tree.map(lambda *values: jnp.concatenate(values)[in_order], *found)


def varied(candidates: list[Candidate], phase: PhaseSettings) -> Varied:
    """Return the numbers that differ among candidates which are trained side by side."""
    return Varied(
        np.array([phase.learning_rate if c.learning_rate is None else c.learning_rate for c in candidates]),
        np.array([np.inf if c.clip_norm is None else c.clip_norm for c in candidates]),
        np.array([c.recurrent_rate for c in candidates]),
        np.array([c.readout_rate for c in candidates]),
    )


def _at(places: np.ndarray, values: Any) -> Any:
    """Select some networks from arrays with a leading axis of networks."""
    return jax.tree.map(lambda array: array[places], values)
