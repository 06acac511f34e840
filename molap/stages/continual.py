"""Collect the scores of the sequences."""

from molap.analysis.continual import continual
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """Which sequences the table holds."""

    run: str
    tasks: tuple[str, ...]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]
    orders: int


def work(job: Job) -> None:
    """Write one row per kind, order, network seed, place in the sequence and task tested."""
    s = job.settings
    write_table(job.outputs["table"], continual(s.run, list(s.kinds), list(s.blocks), s.orders))


if __name__ == "__main__":
    run_job("continual", Settings, work)
