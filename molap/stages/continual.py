"""Collect the scores of the sequences."""

from molap.analysis.continual import continual
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """No settings: the inputs say which networks there are."""


def work(job: Job[Settings]) -> None:
    """Write one row per kind, order, network seed, place in the sequence and task tested."""
    write_table(job.outputs["table"], continual(job.inputs))


if __name__ == "__main__":
    run_job("continual", Settings, work)
