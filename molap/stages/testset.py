"""Draw a task's test set from a random stream of its own."""

from typing import Literal

import numpy as np

from molap.config.base import Section
from molap.config.tasks import TrialSettings
from molap.jobs.job import Job, run_job
from molap.randomness import named_key
from molap.storage.files import save_arrays
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks


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
    task = load_tasks(settings.trials.modules)[settings.task]
    trials = draw_trials(task, key, settings.n_trials, settings.trials)
    save_arrays(
        job.outputs["arrays"],
        job.provenance,
        inputs=np.asarray(trials.inputs),
        targets=np.asarray(trials.targets),
        angles=np.asarray(trials.conditions.angles),
    )


if __name__ == "__main__":
    run_job("testset", Settings, work)
