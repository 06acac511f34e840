"""Draw the corpus: trials of all tasks, with channels side by side."""

from typing import Literal

import numpy as np

from molap.config.base import Section
from molap.config.tasks import TrialSettings
from molap.jobs.job import Job, run_job
from molap.randomness import named_key
from molap.storage.files import save_arrays
from molap.tasks.checks import refuse_not_finite
from molap.tasks.corpus import Lengths, channel_names, draw_corpus
from molap.tasks.registry import load_tasks


class Settings(Section):
    """Settings that the corpus depends on."""

    trials: TrialSettings
    tasks: tuple[str, ...]
    alignment: Literal["aligned", "independent"]
    lengths: Lengths = "pad"
    n_trials: int
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write the corpus."""
    settings = job.settings
    tasks = [load_tasks(settings.trials.modules)[name] for name in settings.tasks]
    key = named_key(settings.data_seed, "corpus")
    aligned = settings.alignment == "aligned"
    batch = draw_corpus(tasks, key, settings.n_trials, settings.trials, aligned, lengths=settings.lengths)
    inputs, targets = (np.asarray(values) for values in batch)
    input_names, target_names = channel_names(tasks)
    for what, values, names in (("inputs", inputs, input_names), ("targets", targets, target_names)):
        refuse_not_finite("a task of the corpus", what, values, names)
    save_arrays(
        job.outputs["arrays"],
        job.provenance,
        inputs=inputs,
        targets=targets,
        input_names=np.array(input_names),
        target_names=np.array(target_names),
    )
    job.metrics = {"n_input_channels": inputs.shape[2], "n_target_channels": targets.shape[2]}


if __name__ == "__main__":
    run_job("corpus", Settings, work)
