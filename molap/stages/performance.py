"""Collect the evaluations into `performance.csv`."""

from molap.analysis.collect import performance
from molap.config.base import Section
from molap.config.tasks import Labels
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """Settings: the tasks and their labels."""

    labels: Labels


def work(job: Job[Settings]) -> None:
    """Write one row per strategy, source, task and network seed."""
    write_table(job.outputs["table"], performance(job.inputs, job.settings.labels))


if __name__ == "__main__":
    run_job("performance", Settings, work)
