"""Collect the search for training settings, and rank its candidates."""

from molap.analysis.choice import choose, collect
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """No settings: the tables say what was tried."""


def work(job: Job[Settings]) -> None:
    """Write one row per kind, candidate and task, and the candidates of every kind ranked by the rule of the choice."""
    table = collect(map(read_table, job.inputs.values()))
    write_table(job.outputs["table"], table)
    write_table(job.outputs["choice"], choose(table))


if __name__ == "__main__":
    run_job("tune_table", Settings, work)
