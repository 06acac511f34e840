"""The time course that the nine tasks share (A.1), 110 steps of 10 ms, and the conditions drawn for each trial.

The paper gives no complete timing; these steps are those of the authors' released code.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from molap.config.tasks import N_STEPS, TrialSettings

FIXATION_ON, GO = 10, 85
STIMULUS_ON = 35
PULSES = ((35, 45), (65, 75))
SHORTEST_STIMULUS_END = 45
DELAY = {"fixation": (FIXATION_ON, GO), "stimulus": (STIMULUS_ON, N_STEPS), "response": (GO, N_STEPS)}
MEMORY = DELAY | {"stimulus": (STIMULUS_ON, GO)}
PULSED = {"fixation": (FIXATION_ON, GO), "pulse1": PULSES[0], "pulse2": PULSES[1], "response": (GO, N_STEPS)}
"""Epochs by name: first step, and the step after the last. The stimulus of `MEMORY` may end earlier."""


class Conditions(NamedTuple):
    """The values drawn for each trial."""

    angles: Float[Array, "trial 2"]
    """θ1 and θ2 in radians. Tasks with one stimulus use θ1."""
    memory_end: Int[Array, " trial"]
    """Step at which the stimulus of the memory tasks ends."""


Channels = tuple[Float[Array, "time trial channel"], Float[Array, "time trial output"]]


@partial(jax.jit, static_argnames=("n_trials", "settings"))
def draw_conditions(key: Key[Array, ""], n_trials: int, settings: TrialSettings) -> Conditions:
    """Draw angles uniformly in steps of 10°, and the step at which the stimulus of the memory tasks ends.

    With `settings.resample`, the trials are then resampled with replacement.
    """
    angle_key, end_key, resample_key = jax.random.split(key, 3)
    n_angles = 36 if settings.angles == "full_circle" else 19
    angles = jax.random.randint(angle_key, (n_trials, 2), 0, n_angles) * (math.pi / 18)
    if settings.memory_delay == "fixed":
        ends = jnp.full((n_trials,), GO)
    else:
        ends = jax.random.randint(end_key, (n_trials,), SHORTEST_STIMULUS_END, GO + 1)
    conditions = Conditions(angles, ends)
    return draw_again(resample_key, conditions) if settings.resample else conditions


def draw_again(key: Key[Array, ""], conditions: Any) -> Any:
    """Resample the given trials with replacement, keeping their number (released code)."""
    n_trials = jax.tree.leaves(conditions)[0].shape[0]
    chosen = jax.random.randint(key, (n_trials,), 0, n_trials)
    return jax.tree.map(lambda values: values[chosen], conditions)


def during(
    start: int | Int[Array, " trial"], stop: int | Int[Array, " trial"], n_steps: int = N_STEPS
) -> Float[Array, "time trial"]:
    """Return 1 on steps [start, stop) and 0 elsewhere; the bounds may differ between trials."""
    steps = jnp.arange(n_steps)[:, None]
    return jnp.astype((steps >= start) & (steps < stop), jnp.float32)


def fixation() -> Float[Array, "time 1"]:
    """Return the fixation signal, which is both input and target: on until the Go signal."""
    return during(FIXATION_ON, GO)


def response(value: Float[Array, " trial"]) -> Float[Array, "time trial"]:
    """Return a target that is `value` in the response period and 0 before it."""
    return during(GO, N_STEPS) * value


def pulses(first: Float[Array, " trial"], second: Float[Array, " trial"]) -> Float[Array, "time trial"]:
    """Return two pulses of the given heights."""
    return during(*PULSES[0]) * first + during(*PULSES[1]) * second


def channels(*signals: Float[Array, "time _"]) -> Float[Array, "time trial channel"]:
    """Stack signals as channels, and broadcast those that are the same for all trials."""
    return jnp.stack(jnp.broadcast_arrays(*signals), axis=-1)
