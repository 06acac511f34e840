"""Collect the evaluations into `performance.csv`."""

from molap.analysis.collect import performance
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """Which networks the table holds, and which of them another run has scored."""

    run: str
    tasks: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]
    shared: dict[str, dict[str, str]] | None = None


def work(job: Job) -> None:
    """Write one row per strategy, source, task and network seed."""
    s = job.settings
    write_table(job.outputs["table"], performance(s.run, s.kinds, dict(s.tasks), s.blocks, s.shared))


if __name__ == "__main__":
    run_job("performance", Settings, work)
