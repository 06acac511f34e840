"""Summarise every sequence: average accuracy, forgetting, forward and backward transfer."""

from molap.analysis.continual import forgetting
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """No settings: the result depends on the table alone."""


def work(job: Job[Settings]) -> None:
    """Write one row per kind, order and network seed."""
    scores = read_table(job.inputs["continual"], keep_default_na=False)
    write_table(job.outputs["table"], forgetting(scores))


if __name__ == "__main__":
    run_job("forgetting", Settings, work)
