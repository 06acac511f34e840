"""Define what a task is: how its trials are drawn and built, and when a decision is right."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from molap.config.tasks import DT_MS, N_STEPS, TrialSettings
from molap.tasks.trial import Channels, draw_again, draw_conditions

Draw = Callable[[Key[Array, ""], int, TrialSettings], Any]
"""(key, number of trials, settings) → conditions: any pytree of arrays whose first axis is the trial."""
Decide = Callable[
    [Float[np.ndarray, "window trial output"], Float[np.ndarray, "window trial output"]],
    Bool[np.ndarray, "trial decision"],
]
"""(outputs, targets) on the steps of the window, rescaled → whether each decision of each trial is right."""


class Task(NamedTuple):
    """A task: a function for trials without noise, the names of its channels, and what else must be known of it."""

    name: str
    """The name in configurations and tables."""
    label: str
    """What figures call it, T10 for example."""
    build: Callable[[Any, TrialSettings], Channels]
    """(conditions, settings) → inputs (time, trial, channel) and targets (time, trial, output)."""
    inputs: tuple[str, ...]
    """Names of the input channels."""
    outputs: tuple[str, ...]
    """An output named `fixation` is not a decision, and has a tolerance of its own."""
    input_bounds: tuple[float, float] = (-1.0, 1.0)
    """Lowest and highest value of all inputs without noise, by which they are rescaled to [0, 1]."""
    target_bounds: tuple[float, float] = (-1.0, 1.0)
    """The same of all targets."""
    n_steps: int = N_STEPS
    """Number of steps of a trial."""
    dt: float = DT_MS
    """Duration of a step in ms. It does not enter the network, whose units have no time constant."""
    epochs: Mapping[str, tuple[int, int]] = {}
    """Name → first step, and the step after the last."""
    draw: Draw = draw_conditions
    """(key, number of trials, settings) → conditions, any pytree of arrays whose first axis is the trial."""
    held_out: Mapping[str, Draw] = {}
    """`test`, `validation` → how conditions of these trials are drawn, if not as those of training."""
    mask: Callable[[Any, TrialSettings], Float[Array, "time #trial #output"]] | None = None
    """(conditions, settings) → weights ≥ 0 of the squared errors in the loss; the loss divides by their sum."""
    window: tuple[int, int] | None = None
    """Steps over which a decision is read; if None, the last `evaluation.window` steps."""
    decide: Decide | None = None
    """When a decision is right; if None, when its mean over the window lies within the tolerance (A.3).

    For a task with an output `fixation`, the first decision is whether fixation is right, and counts apart.
    """

    def conditions(self, key: Key[Array, ""], n_trials: int, settings: TrialSettings) -> Any:
        """Draw the conditions of trials."""
        return conditions_of(self.draw, key, n_trials, settings)

    def of_stream(self, stream: str) -> "Task":
        """Return the task with conditions as they are drawn for the stream `test` or `validation`."""
        return self._replace(draw=self.held_out[stream]) if stream in self.held_out else self


@partial(jax.jit, static_argnames=("draw", "n_trials", "settings"))
def conditions_of(draw: Draw, key: Key[Array, ""], n_trials: int, settings: TrialSettings) -> Any:
    """Draw conditions; with `settings.resample`, resample them with replacement."""
    drawn = draw(key, n_trials, settings)
    if settings.resample and draw is not draw_conditions:  # which resamples by itself
        return draw_again(jax.random.fold_in(key, 1), drawn)
    return drawn


def named(conditions: Any) -> dict[str, Any]:
    """Return the arrays of conditions by name: a field, a key, or several of them with dots between."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(conditions)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def replaced(conditions: Any, values: Mapping[str, Array]) -> Any:
    """Return conditions in which the arrays of these names are replaced."""
    leaves, tree = jax.tree.flatten(conditions)
    names = named(conditions)
    return jax.tree.unflatten(tree, [values.get(name, leaf) for name, leaf in zip(names, leaves, strict=True)])


def ring(outputs: slice, degrees: float = 36.0, fixation: int | None = 0, threshold: float = 0.5) -> Decide:
    """Return a rule for tasks that answer by the direction of a ring of outputs (Yang et al. 2019).

    The answer of a trial is the preferred direction of the most active output, the preferred directions being evenly
    spaced over the circle; activity is the mean over the window.

    Args:
        outputs: the outputs of the ring.
        degrees: the largest angle between answer and target; 36° in Yang et al.
        fixation: the index of the fixation output, if there is one. On a trial whose target fixates (its mean is above
            the threshold), the ring does not matter.
        threshold: the rescaled fixation output above which the network fixates.

    Returns:
        A function of two decisions, whether fixation is right, and then whether the direction is.
    """

    def decide(found, targets):
        found, targets = found.mean(axis=0), targets.mean(axis=0)
        n = targets[:, outputs].shape[1]
        apart = np.abs(found[:, outputs].argmax(axis=1) - targets[:, outputs].argmax(axis=1))
        finite = np.isfinite(found).all(axis=1)
        near = finite & (np.minimum(apart, n - apart) * 360 / n <= degrees + 1e-9)
        if fixation is None:
            return near[:, None]
        fixates, should = found[:, fixation] > threshold, targets[:, fixation] > threshold
        return np.stack(
            [(fixates == should) & np.isfinite(found).all(axis=1), np.where(should, fixates, ~fixates & near)], axis=1
        )

    return decide
