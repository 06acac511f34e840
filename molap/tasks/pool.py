"""Tasks whose trials are drawn from a fixed pool of them, some of which are held out."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, Shaped

from molap.config.tasks import TrialSettings
from molap.randomness import named_key
from molap.tasks.task import Decide, Task

SHARES = {"training": 0.6, "validation": 0.2, "test": 0.2}
"""Shares of the trials, which a permutation deals out."""
FEWEST = 5
"""The smallest number of trials of which some can be held out."""


def task_from_arrays(
    name: str,
    label: str,
    inputs: Shaped[np.ndarray, "time trial channel"],
    targets: Shaped[np.ndarray, "time trial output"],
    input_names: tuple[str, ...],
    output_names: tuple[str, ...],
    dt: float,
    mask: Shaped[np.ndarray, "time #trial #output"] | None = None,
    window: tuple[int, int] | None = None,
    decide: Decide | None = None,
    split_seed: int = 0,
) -> Task:
    """Return a task whose trials are drawn from these, in single precision.

    Three fifths of the trials are for training, a fifth each for validation and for the test, drawn by `split_seed`.
    Bounds are the lowest and highest value of the inputs, and of the targets.
    """
    pools = _pools(inputs.shape[1], split_seed)
    shown, wanted = (values.astype(np.float32) for values in (inputs, targets))
    return Task(
        name,
        label,
        functools.partial(_build, shown, wanted, name),
        input_names,
        output_names,
        input_bounds=_bounds(shown),
        target_bounds=_bounds(wanted),
        n_steps=inputs.shape[0],
        dt=dt,
        draw=functools.partial(_draw, pools["training"], name),
        held_out={stream: functools.partial(_in_turn, pools[stream], name) for stream in ("validation", "test")},
        mask=None if mask is None else functools.partial(_mask, mask.astype(np.float32), name),
        window=window,
        decide=decide,
    )


def pool_of(task: Task) -> tuple[np.ndarray, ...] | None:
    """Return inputs, targets and, if there is one, the mask of the pool that a task draws from; None for others."""
    drawn, built = task.draw, task.build
    if not (isinstance(drawn, functools.partial) and drawn.func in (_draw, _in_turn)):
        return None
    if not (isinstance(built, functools.partial) and built.func is _build):
        return None
    if task.mask is None:
        return built.args[:2]
    if isinstance(task.mask, functools.partial) and task.mask.func is _mask:
        return (*built.args[:2], task.mask.args[0])
    return None


def n_held_out(task: Task, stream: str) -> int | None:
    """Return how many trials of its pool a task holds out for a stream; None if its trials are not from a pool."""
    drawn = task.held_out.get(stream)
    if isinstance(drawn, functools.partial) and drawn.func is _in_turn:
        return len(drawn.args[0])
    return None


def _bounds(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else (low, low + 1)


def _pools(n_trials: int, split_seed: int) -> dict[str, np.ndarray]:
    """Return the trials of each stream, at least one for each."""
    order = np.asarray(jax.random.permutation(named_key(split_seed, "trials of a file"), n_trials))
    held_out = max(1, round(SHARES["test"] * n_trials))
    return {
        "test": order[:held_out],
        "validation": order[held_out : 2 * held_out],
        "training": order[2 * held_out :],
    }


def _draw(pool: np.ndarray, name: str, key: Key[Array, ""], n_trials: int, settings: TrialSettings) -> dict[str, Array]:
    """Draw trials for training, with replacement."""
    return {f"trial_of_{name}": jnp.asarray(pool)[jax.random.randint(key, (n_trials,), 0, len(pool))]}


def _in_turn(
    pool: np.ndarray, name: str, key: Key[Array, ""], n_trials: int, settings: TrialSettings
) -> dict[str, Array]:
    """Draw held-out trials, each as often as any other: all of them before any comes again."""
    rounds = -(-n_trials // len(pool))
    orders = jax.vmap(lambda own: jax.random.permutation(own, jnp.asarray(pool)))(jax.random.split(key, rounds))
    return {f"trial_of_{name}": orders.ravel()[:n_trials]}


def _build(inputs: np.ndarray, targets: np.ndarray, name: str, conditions: Any, settings: TrialSettings):
    trial: Int[Array, " trial"] = conditions[f"trial_of_{name}"]
    return jnp.asarray(inputs)[:, trial], jnp.asarray(targets)[:, trial]


def _mask(mask: np.ndarray, name: str, conditions: Any, settings: TrialSettings) -> Float[Array, "time #trial #output"]:
    return jnp.asarray(mask) if mask.shape[1] == 1 else jnp.asarray(mask)[:, conditions[f"trial_of_{name}"]]
