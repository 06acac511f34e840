"""Batches of trials as networks see them: noise and rescaling added to a task's signals."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from molap.config.tasks import TrialSettings
from molap.randomness import normal
from molap.tasks.registry import Task
from molap.tasks.trial import N_STEPS, Conditions, draw_conditions


class Trials(NamedTuple):
    """A batch of trials."""

    inputs: Float[Array, "time trial channel"]
    targets: Float[Array, "time trial output"]
    conditions: Conditions


def raw_trials(
    task: Task, key: Key[Array, ""], conditions: Conditions, settings: TrialSettings, noise: bool = True
) -> Trials:
    """Draw trials in stimulus units (before rescaling), with noise, from `key`, on the input channels."""
    inputs, targets = task.build(conditions, settings)
    if noise and settings.input_noise > 0:
        on = (jnp.arange(N_STEPS) >= settings.noise_onset)[:, None, None]
        inputs = inputs + settings.input_noise * on * normal(key, inputs.shape)
    return Trials(inputs, targets, conditions)


def rescale(trials: Trials, task: Task, settings: TrialSettings) -> Trials:
    """Rescale inputs and targets to [0, 1], one scale for all input channels and one for all outputs.

    The paper is silent on this; its criterion presumes it. With `batch` (released code) the scale depends on
    the trials drawn; with `fixed` it follows from the task's known bounds.
    """
    if settings.rescaling == "none":
        return trials
    if settings.rescaling == "fixed":
        bounds = task.input_bounds, task.target_bounds
    else:
        bounds = tuple((jnp.min(values), jnp.max(values)) for values in (trials.inputs, trials.targets))
    inputs, targets = (
        (values - low) / (high - low)
        for values, (low, high) in zip((trials.inputs, trials.targets), bounds, strict=True)
    )
    return trials._replace(inputs=inputs, targets=targets)


def noise_std(task: Task, settings: TrialSettings) -> float | None:
    """Return the standard deviation of the noise on a task's rescaled inputs, from the step `noise_onset` on.

    None where it depends on the trials drawn.
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
    """Return a batch as a network receives it: drawn (unless `conditions` are given), with noise, rescaled."""
    condition_key, trial_key = jax.random.split(key)
    if conditions is None:
        conditions = draw_conditions(condition_key, n_trials, settings)
    return rescale(raw_trials(task, trial_key, conditions, settings, noise), task, settings)
