"""Compute weights and updates by number of tasks and of units, from the formulas."""

from molap.analysis.counts import scaling
from molap.config.base import Section
from molap.config.tasks import TrialSettings
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table
from molap.tasks.registry import load_tasks


class Settings(Section):
    """Settings that the counts depend on."""

    trials: TrialSettings
    tasks: tuple[str, ...]
    sizes: tuple[int, ...]
    n_modules: int
    steps: dict[str, int]
    biases: bool


def work(job: Job[Settings]) -> None:
    """Write one row per strategy, number of tasks and number of units."""
    s = job.settings
    known = load_tasks(s.trials.modules)
    channels = [(name, known[name].inputs, known[name].outputs) for name in s.tasks]
    write_table(job.outputs["table"], scaling(channels, s.sizes, s.n_modules, s.steps, s.biases))


if __name__ == "__main__":
    run_job("scaling", Settings, work)
