"""Batches of trials as networks receive them: a task's signals with noise, rescaled.

Outside compiled programs, NumPy adds the noise and rescales. In JAX, each small operation would compile to a program of
its own, and a single program for all of them would round differently.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from molap.config.tasks import TrialSettings
from molap.randomness import normal, split
from molap.tasks.registry import Task
from molap.tasks.trial import N_STEPS, Conditions, draw_conditions


class Trials(NamedTuple):
    """A batch of trials."""

    inputs: Float[Array | np.ndarray, "time trial channel"]
    targets: Float[Array | np.ndarray, "time trial output"]
    conditions: Conditions


@partial(jax.jit, static_argnames=("n_trials", "settings"))
def _conditions(key, n_trials: int, settings: TrialSettings, given: Conditions | None):
    """Return the conditions of the trials (drawn unless given) and the key for the noise."""
    condition_key, trial_key = split(key)
    return draw_conditions(condition_key, n_trials, settings) if given is None else given, trial_key


def raw_trials(
    task: Task, key: Key[Array, ""], conditions: Conditions, settings: TrialSettings, noise: bool = True
) -> Trials:
    """Draw trials in stimulus units (before rescaling), with noise drawn from `key` on the input channels."""
    (signals,) = _signals([task], [conditions], settings)
    return _noisy(signals, key, settings) if noise else signals


def _signals(tasks: Sequence[Task], conditions: Sequence[Conditions], settings: TrialSettings) -> list[Trials]:
    """Build the trials of several tasks without noise, in one program."""
    found = _built(tuple(task.build for task in tasks), tuple(conditions), settings)
    if not isinstance(found[0][0], jax.core.Tracer):
        found = jax.tree.map(np.asarray, found)
    return [Trials(inputs, targets, of_task) for (inputs, targets), of_task in zip(found, conditions, strict=True)]


@partial(jax.jit, static_argnames=("builds", "settings"))
def _built(builds: tuple[Callable, ...], conditions: tuple[Conditions, ...], settings: TrialSettings):
    return [build(of_task, settings) for build, of_task in zip(builds, conditions, strict=True)]


def _noisy(trials: Trials, key: Key[Array, ""], settings: TrialSettings) -> Trials:
    """Add noise to the inputs."""
    if settings.input_noise == 0:
        return trials
    std = np.where(np.arange(N_STEPS) >= settings.noise_onset, np.float32(settings.input_noise), np.float32(0))
    return trials._replace(inputs=trials.inputs + std[:, None, None] * normal(key, trials.inputs.shape))


def rescale(trials: Trials, task: Task, settings: TrialSettings) -> Trials:
    """Rescale inputs and targets to [0, 1], with one scale for all input channels and one for all outputs.

    The paper does not mention this, but its criterion presumes it. With `batch` (released code) the scale depends on
    the trials drawn; with `fixed` it follows from the known bounds of the task.
    """
    if settings.rescaling == "none":
        return trials
    bounds: Iterable[tuple[float | Array, float | Array]]
    if settings.rescaling == "fixed":
        bounds = task.input_bounds, task.target_bounds
    else:
        bounds = tuple((values.min(), values.max()) for values in (trials.inputs, trials.targets))
    inputs, targets = (
        _divided(values - low, high - low)
        for values, (low, high) in zip((trials.inputs, trials.targets), bounds, strict=True)
    )
    return trials._replace(inputs=inputs, targets=targets)


def _divided(values, width):
    """Divide by a number; outside compiled programs multiply by its reciprocal, as XLA does."""
    if isinstance(values, np.ndarray):
        return values * (np.float32(1) / np.float32(width))
    return values / width


def noise_std(task: Task, settings: TrialSettings) -> float | None:
    """Return the standard deviation of the noise on a task's rescaled inputs, from step `noise_onset` on.

    Return None if it depends on the trials drawn.
    """
    if settings.rescaling == "batch":
        return None
    low, high = task.input_bounds if settings.rescaling == "fixed" else (0.0, 1.0)
    return settings.input_noise / (high - low)


def draw_trials(
    task: Task,
    key: Key[Array, ""],
    n_trials: int,
    settings: TrialSettings,
    conditions: Conditions | None = None,
    noise: bool = True,
) -> Trials:
    """Draw a batch as a network receives it: with noise, rescaled, and with new conditions unless they are given."""
    (trials,) = draw_batches([task], [key], n_trials, settings, conditions, noise)
    return trials


def draw_batches(
    tasks: Sequence[Task],
    keys: Sequence[Key[Array, ""]],
    n_trials: int,
    settings: TrialSettings,
    conditions: Conditions | None = None,
    noise: bool = True,
) -> list[Trials]:
    """Draw one batch per task, each with its own key; `conditions`, if given, are shared by all tasks."""
    drawn, trial_keys = zip(*(_conditions(key, n_trials, settings, conditions) for key in keys), strict=True)
    batches = []
    for task, key, trials in zip(tasks, trial_keys, _signals(tasks, drawn, settings), strict=True):
        batches.append(rescale(_noisy(trials, key, settings) if noise else trials, task, settings))
    return batches
