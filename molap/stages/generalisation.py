"""Collect the evaluations of tasks left out of the corpus, beside the same tasks included."""

from molap.analysis.generalisation import generalisation
from molap.config.base import Section
from molap.config.tasks import Labels
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """Settings: the tasks' labels, and what leaving out a single task means."""

    labels: Labels
    single: str


def work(job: Job[Settings]) -> None:
    """Write one row per source, task, corpus and network seed."""
    write_table(job.outputs["table"], generalisation(job.inputs, job.settings.labels, job.settings.single))


if __name__ == "__main__":
    run_job("generalisation", Settings, work)
