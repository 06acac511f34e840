"""The corpus: trials of all tasks, with their channels side by side (section 3.3)."""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from molap.config.tasks import TrialSettings
from molap.randomness import fold_in_name, split
from molap.tasks.batch import draw_batches
from molap.tasks.task import Task, conditions_of, named, replaced


class CorpusBatch(NamedTuple):
    """A batch of trials of all tasks; the paper's nine tasks have 25 input and 22 target channels."""

    inputs: Float[Array | np.ndarray, "time trial channel"]
    targets: Float[Array | np.ndarray, "time trial output"]


Lengths = Literal["pad", "truncate"]


def draw_corpus(
    tasks: list[Task],
    key: Key[Array, ""],
    n_trials: int,
    settings: TrialSettings,
    aligned: bool,
    noise: bool = True,
    lengths: Lengths = "pad",
) -> CorpusBatch:
    """Draw trials of every task and stack them along the channels.

    Args:
        tasks: the tasks of the corpus.
        key: the key of this batch.
        n_trials: the number of trials of each task.
        settings: how trials are drawn.
        aligned: whether trial i has the same conditions in every task that has conditions of that name, so that
            channels covary across tasks as in the released code; otherwise each task draws its own.
        noise: whether the inputs have noise, which is independent in either case.
        lengths: `pad`: all trials are as long as the longest task's, and a shorter task shows and wants nothing after
            its end; `truncate`: all are as long as the shortest task's.
    """
    shared_key, tasks_key = split(key)
    conditions = aligned_conditions(tasks, shared_key, n_trials, settings) if aligned else None
    keys = [fold_in_name(tasks_key, task.name) for task in tasks]
    steps = [task.n_steps for task in tasks]
    n_steps = max(steps) if lengths == "pad" else min(steps)
    batches = draw_batches(tasks, keys, n_trials, settings, conditions, noise, n_steps)
    concatenate = np.concatenate if isinstance(batches[0].inputs, np.ndarray) else jnp.concatenate
    return CorpusBatch(
        concatenate([batch.inputs for batch in batches], axis=-1),
        concatenate([batch.targets for batch in batches], axis=-1),
    )


def aligned_conditions(tasks: list[Task], key: Key[Array, ""], n_trials: int, settings: TrialSettings) -> list[Any]:
    """Draw the conditions of every task with one key; conditions of one name are those of the first task that has it.

    The name is a field's or a key's; conditions without one (of a plain tuple) are the task's own.

    Raises:
        ValueError: if two tasks have conditions of one name and different shapes.
    """
    shared: dict[str, tuple[str, Array]] = {}
    found = []
    for task in tasks:
        drawn = conditions_of(task.draw, key, n_trials, settings)
        own = {name: values for name, values in named(drawn).items() if not name[:1].isdigit() and name}
        for name, values in own.items():
            first, theirs = shared.setdefault(name, (task.name, values))
            if theirs.shape != values.shape or theirs.dtype != values.dtype:
                raise ValueError(
                    f"corpus.alignment: the condition {name} is {theirs.dtype} of shape {theirs.shape[1:]} in {first} "
                    f"and {values.dtype} of shape {values.shape[1:]} in {task.name}; rename one of them, or "
                    "set `independent`"
                )
        found.append(replaced(drawn, {name: shared[name][1] for name in own}))
    return found


def check_aligned(tasks: list[Task], settings: TrialSettings) -> None:
    """Check, without drawing anything, that tasks can share the conditions of one name.

    Raises:
        ValueError: if two tasks have conditions of one name and different shapes.
    """
    jax.eval_shape(lambda: aligned_conditions(tasks, jax.random.key(0), 2, settings))


def channel_names(tasks: list[Task]) -> tuple[list[str], list[str]]:
    """Return the names `task:channel` of the stacked inputs and of the stacked targets."""
    return (
        [f"{task.name}:{name}" for task in tasks for name in task.inputs],
        [f"{task.name}:{name}" for task in tasks for name in task.outputs],
    )
