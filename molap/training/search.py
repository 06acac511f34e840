"""The search for what the text leaves open about training: many candidates in one program.

Candidates that differ only in numbers (rates, clipping, initial weights) are trained side by side, like network seeds;
candidates that differ in the number of steps, batch size or schedule are trained one group after the other.
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
"""Fields that need a program of their own when they differ."""


class Trial(NamedTuple):
    """One network of the search: its candidate, and the seed from which it is drawn."""

    candidate: Candidate
    seed: int


def trials(candidates: tuple[Candidate, ...], seeds: tuple[int, ...]) -> list[Trial]:
    """Return every candidate paired with every network seed."""
    return [Trial(candidate, seed) for candidate in candidates for seed in seeds]


def pretraining_of(candidate: Candidate, n_steps: int) -> Candidate:
    """Return how a candidate pre-trains: with pre-training's own rate and `n_steps`, otherwise as the candidate."""
    return candidate.model_copy(update={"learning_rate": None, "n_steps": n_steps})


def init_of(candidate: Candidate, init: InitSettings) -> InitSettings:
    """Return the initialisation settings with the candidate's values."""
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
        candidates: one per network; the same candidate may appear more than once, with other weights and keys.
        params: initial weights, with a leading axis of networks.
        trainable: the trained weights, as for `molap.training.loop.train`.
        draw_of: batch size → a function that draws a batch.
        keys: one key per network.
        recipe: as for `molap.training.loop.train`; the candidates replace the phase's rates, steps and batch size, and
            fields of the optimiser.
        protection: as for `molap.training.loop.train`, with a leading axis of networks.
        progress: called now and then with the steps done, the number of steps of the group being trained, and its mean
            MSE.

    Returns:
        The trained networks, in the order given. A network that diverged has weights that are not finite.
    """
    groups: dict[tuple, list[int]] = {}
    for i, candidate in enumerate(candidates):
        groups.setdefault(tuple(getattr(candidate, name) for name in GROUPED), []).append(i)
    found: list[Params] = []
    for (n_steps, batch_size, decay, batches), members in groups.items():
        at = np.array(members)
        phase = recipe.phase.model_copy(update={"n_steps": n_steps, "batch_size": batch_size})
        optimiser = recipe.optimiser.model_copy(update={"decay": decay, "batches": batches})

        def report(step: int, mse: float, n_steps: int = n_steps) -> None:
            progress(step, n_steps, mse)

        trained, _ = train(
            _at(at, params),
            trainable,
            draw_of(batch_size),
            keys[at],
            Recipe(phase, optimiser, recipe.objective),
            Watch(report),
            protection and protection._replace(own=_at(at, protection.own)),
            varied([candidates[i] for i in members], phase),
            strict=False,
        )
        found.append(trained)
    in_order = np.argsort(np.concatenate(list(groups.values())))
    return jax.tree.map(lambda *values: jnp.concatenate(values)[in_order], *found)


def varied(candidates: list[Candidate], phase: PhaseSettings) -> Varied:
    """Return the numbers that may differ among candidates trained side by side."""
    return Varied(
        np.array([phase.learning_rate if c.learning_rate is None else c.learning_rate for c in candidates]),
        np.array([np.inf if c.clip_norm is None else c.clip_norm for c in candidates]),
        np.array([c.recurrent_rate for c in candidates]),
        np.array([c.readout_rate for c in candidates]),
    )


def _at(places: np.ndarray, values: Any) -> Any:
    """Select networks by index from arrays with a leading axis of networks."""
    return jax.tree.map(lambda array: array[places], values)
