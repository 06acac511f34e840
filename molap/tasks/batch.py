"""Batches of trials as networks receive them: a task's signals with noise, rescaled.

Outside compiled programs, NumPy adds the noise and rescales. In JAX, each small operation would compile to a program of
its own, and a single program for all of them would round differently.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from molap.config.tasks import TrialSettings
from molap.randomness import normal, split
from molap.tasks.task import Draw, Task, conditions_of


class Trials(NamedTuple):
    """A batch of trials."""

    inputs: Float[Array | np.ndarray, "time trial channel"]
    targets: Float[Array | np.ndarray, "time trial output"]
    conditions: Any
    """A pytree whose arrays have one entry, or row, per trial."""
    mask: Float[Array | np.ndarray, "time #trial #output"] | None = None
    """Weights of the squared errors in the loss; None if all are alike."""

    def batch(self) -> tuple[Array | np.ndarray, ...]:
        """Return what the objective takes: inputs and targets, and the mask if there is one."""
        return (self.inputs, self.targets) if self.mask is None else (self.inputs, self.targets, self.mask)


@partial(jax.jit, static_argnames=("draw", "n_trials", "settings"))
def _conditions(key, draw: Draw, n_trials: int, settings: TrialSettings, given: Any):
    """Return the conditions of the trials (drawn unless given) and the key for the noise."""
    condition_key, trial_key = split(key)
    return conditions_of(draw, condition_key, n_trials, settings) if given is None else given, trial_key


def raw_trials(task: Task, key: Key[Array, ""], conditions: Any, settings: TrialSettings, noise: bool = True) -> Trials:
    """Draw trials in stimulus units (before rescaling), with noise drawn from `key` on the input channels."""
    (signals,) = _signals([task], [conditions], settings)
    return _noisy(signals, key, settings) if noise else signals


def _signals(
    tasks: Sequence[Task], conditions: Sequence[Any], settings: TrialSettings, n_steps: int | None = None
) -> list[Trials]:
    """Build the trials of several tasks without noise, in one program; with `n_steps`, all get that many steps."""
    functions = tuple((task.build, task.mask, _resting(task)) for task in tasks)
    found = _built(functions, tuple(conditions), settings, n_steps)
    if not isinstance(found[0][0], jax.core.Tracer):
        found = jax.tree.map(np.asarray, found)
    return [
        Trials(inputs, targets, of_task, mask)
        for (inputs, targets, mask), of_task in zip(found, conditions, strict=True)
    ]


@partial(jax.jit, static_argnames=("functions", "settings", "n_steps"))
def _built(functions: tuple, conditions: tuple, settings: TrialSettings, n_steps: int | None):
    found = []
    for (build, mask, resting), of_task in zip(functions, conditions, strict=True):
        built = zip(build(of_task, settings), resting, strict=True)
        inputs, targets = (_of_length(values, n_steps, rest) for values, rest in built)
        found.append((inputs, targets, None if mask is None else mask(of_task, settings)))
    return found


def _of_length(values: Array, n_steps: int | None, rest: float) -> Array:
    """Return the first `n_steps` steps; after the end of a shorter trial, nothing is shown or wanted."""
    if n_steps is None or n_steps == values.shape[0]:
        return values
    after = ((0, max(0, n_steps - values.shape[0])), (0, 0), (0, 0))
    return jnp.pad(values[:n_steps], after, constant_values=rest)


def _resting(task: Task) -> tuple[float, float]:
    """Return the values of inputs and of targets at rest: 0, or the bound next to it where the bounds exclude 0."""
    (low, high), (lowest, highest) = task.input_bounds, task.target_bounds
    return float(min(max(0, low), high)), float(min(max(0, lowest), highest))


def _noisy(trials: Trials, key: Key[Array, ""], settings: TrialSettings) -> Trials:
    """Add noise to the inputs."""
    if settings.input_noise == 0:
        return trials
    std = np.where(
        np.arange(trials.inputs.shape[0]) >= settings.noise_onset, np.float32(settings.input_noise), np.float32(0)
    )
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
    conditions: Any = None,
    noise: bool = True,
) -> Trials:
    """Draw a batch as a network receives it: with noise, rescaled, and with new conditions unless they are given."""
    (trials,) = draw_batches([task], [key], n_trials, settings, [conditions], noise)
    return trials


def draw_batches(
    tasks: Sequence[Task],
    keys: Sequence[Key[Array, ""]],
    n_trials: int,
    settings: TrialSettings,
    conditions: Sequence[Any] | None = None,
    noise: bool = True,
    n_steps: int | None = None,
) -> list[Trials]:
    """Draw one batch per task, each with its own key.

    Args:
        tasks: the tasks.
        keys: one key per task.
        n_trials: the number of trials of each.
        settings: how trials are drawn.
        conditions: the conditions of each task's trials; drawn with the task's key if None.
        noise: whether the inputs have noise.
        n_steps: the number of steps of all trials; if None, each task has its own.
    """
    given = conditions or [None] * len(tasks)
    drawn, trial_keys = zip(
        *(
            _conditions(key, task.draw, n_trials, settings, of_task)
            for task, key, of_task in zip(tasks, keys, given, strict=True)
        ),
        strict=True,
    )
    batches = []
    for task, key, trials in zip(tasks, trial_keys, _signals(tasks, drawn, settings, n_steps), strict=True):
        batches.append(rescale(_noisy(trials, key, settings) if noise else trials, task, settings))
    return batches
