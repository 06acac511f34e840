"""Draw a task's test set from a random stream of its own."""

from typing import Any, Literal

import numpy as np

from molap.config.base import Section
from molap.config.tasks import TrialSettings
from molap.jobs.job import Job, run_job
from molap.randomness import named_key
from molap.storage.files import save_arrays
from molap.tasks.batch import draw_trials
from molap.tasks.checks import refuse_not_finite
from molap.tasks.registry import load_tasks
from molap.tasks.task import named
from molap.tasks.trial import Conditions


class Settings(Section):
    """Settings that a test set depends on."""

    trials: TrialSettings
    task: str
    n_trials: int
    stream: Literal["test", "validation"]
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write the test set."""
    settings = job.settings
    key = named_key(settings.data_seed, settings.stream, settings.task)
    task = load_tasks(settings.trials.modules)[settings.task].of_stream(settings.stream)
    trials = draw_trials(task, key, settings.n_trials, settings.trials)
    for what, names in (("inputs", task.inputs), ("targets", task.outputs)):
        refuse_not_finite(f"the task {task.name!r}", what, np.asarray(getattr(trials, what)), names)
    save_arrays(
        job.outputs["arrays"],
        job.provenance,
        inputs=np.asarray(trials.inputs),
        targets=np.asarray(trials.targets),
        **_conditions(trials.conditions),
    )


def _conditions(conditions: Any) -> dict[str, np.ndarray]:
    """Return conditions by the names of their arrays: `angles` of the paper's tasks, those of others as they are."""
    if isinstance(conditions, Conditions):
        return {"angles": np.asarray(conditions.angles)}
    return {f"condition_{name}": np.asarray(values) for name, values in named(conditions).items()}


if __name__ == "__main__":
    run_job("testset", Settings, work)
