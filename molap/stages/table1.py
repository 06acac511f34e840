"""Make Table 1: as printed, corrected, and counted from the networks."""

from molap.analysis.counts import table1
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """No settings: Table 1 depends on the counts alone."""


def work(job: Job[Settings]) -> None:
    """Write the table."""
    write_table(job.outputs["table"], table1(read_table(job.inputs["counts"])))


if __name__ == "__main__":
    run_job("table1", Settings, work)
