"""The corpus: trials of all tasks, with their channels side by side (section 3.3)."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from molap.config.tasks import TrialSettings
from molap.randomness import fold_in_name, split
from molap.tasks.batch import draw_batches
from molap.tasks.registry import Task
from molap.tasks.trial import draw_conditions


class CorpusBatch(NamedTuple):
    """A batch of trials of all tasks; the paper's nine tasks have 25 input and 22 target channels."""

    inputs: Float[Array | np.ndarray, "time trial channel"]
    targets: Float[Array | np.ndarray, "time trial output"]


def draw_corpus(
    tasks: list[Task], key: Key[Array, ""], n_trials: int, settings: TrialSettings, aligned: bool, noise: bool = True
) -> CorpusBatch:
    """Draw trials of every task and stack them along the channels.

    With `aligned`, trial i has the same angles in every task, so that channels covary across tasks as in the
    released code; otherwise each task draws its own angles. Noise is independent in either case.
    """
    shared_key, tasks_key = split(key)
    conditions = draw_conditions(shared_key, n_trials, settings) if aligned else None
    keys = [fold_in_name(tasks_key, task.name) for task in tasks]
    batches = draw_batches(tasks, keys, n_trials, settings, conditions, noise)
    concatenate = np.concatenate if isinstance(batches[0].inputs, np.ndarray) else jnp.concatenate
    return CorpusBatch(
        concatenate([batch.inputs for batch in batches], axis=-1),
        concatenate([batch.targets for batch in batches], axis=-1),
    )


def channel_names(tasks: list[Task]) -> tuple[list[str], list[str]]:
    """Return the names `task:channel` of the stacked inputs and of the stacked targets."""
    return (
        [f"{task.name}:{name}" for task in tasks for name in task.inputs],
        [f"{task.name}:{name}" for task in tasks for name in task.outputs],
    )
