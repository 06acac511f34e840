"""A user's tenth task."""

TENTH = """
import jax.numpy as jnp

from molap.tasks.registry import Task
from molap.tasks.trial import channels, during, fixation, response


def go_twice(conditions, settings):
    value = jnp.cos(conditions.angles[:, 0])
    return channels(fixation(), during(20, 30) * value), channels(fixation(), response(2 * value))


TASKS = [Task("go_twice", "T10", go_twice, ("fixation", "cue"), ("fixation", "double"), target_bounds=(-2.0, 2.0))]
"""
