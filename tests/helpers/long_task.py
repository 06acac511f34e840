"""A user's task of 150 steps, with a condition of its own and a module beside it."""

from pathlib import Path

LONG = '''
"""A task of 150 steps with a condition of its own."""
import jax

from helper import signals
from molap.tasks.registry import Task


def draw(key, n_trials, settings):
    return {"strength": jax.random.uniform(key, (n_trials,), minval=-1.0)}


TASKS = [
    Task(
        "integrate", "I1", signals, inputs=("fixation", "evidence"), outputs=("fixation", "choice"),
        n_steps=150, draw=draw, epochs={"evidence": (20, 100), "response": (120, 150)},
        window=(125, 150),
    )
]
'''
HELPER = """
import jax.numpy as jnp

from molap.tasks.trial import during


def signals(conditions, settings):
    strength = conditions["strength"]
    on = during(0, 120, 150) * jnp.ones_like(strength)
    inputs = jnp.stack([on, during(20, 100, 150) * strength], axis=-1)
    return inputs, jnp.stack([on, during(120, 150, 150) * jnp.sign(strength)], axis=-1)
"""


def write_long_task(folder: Path) -> str:
    """Write the task and its module, and return the path of the task's file."""
    (folder / "helper.py").write_text(HELPER)
    (folder / "long_tasks.py").write_text(LONG)
    return str(folder / "long_tasks.py")
