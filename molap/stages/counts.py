"""Count the weights of every training stage from its record."""

from molap.analysis.counts import counts
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """No settings: the inputs say which networks there are."""


def work(job: Job[Settings]) -> None:
    """Write one row per strategy, source and stage."""
    write_table(job.outputs["table"], counts(job.inputs))


if __name__ == "__main__":
    run_job("counts", Settings, work)
