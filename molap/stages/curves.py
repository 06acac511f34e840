"""Collect the training curves."""

from molap.analysis.collect import curves
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """Which networks the table holds."""

    run: str
    tasks: tuple[str, ...]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]
    n_modules: int


def work(job: Job) -> None:
    """Write loss and MSE by step of every network."""
    s = job.settings
    write_table(job.outputs["table"], curves(s.run, list(s.kinds), list(s.tasks), list(s.blocks), s.n_modules))


if __name__ == "__main__":
    run_job("curves", Settings, work)
