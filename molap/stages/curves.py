"""Collect the training curves."""

from molap.analysis.collect import curves
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """No settings: the inputs say which networks there are."""


def work(job: Job[Settings]) -> None:
    """Write the loss and MSE of every network by step."""
    write_table(job.outputs["table"], curves(job.inputs))


if __name__ == "__main__":
    run_job("curves", Settings, work)
