"""Count the networks that failed."""

from molap.analysis.failures import failures
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """No settings: the table follows from that of performance."""


def work(job: Job[Settings]) -> None:
    """Write one row per strategy, source and task."""
    table = failures(read_table(job.inputs["performance"]))
    write_table(job.outputs["table"], table)
    job.metrics["n/failed"] = int(table.n_failed.sum())


if __name__ == "__main__":
    run_job("failures", Settings, work)
