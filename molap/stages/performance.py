"""Collect the evaluations into `performance.csv`."""

from molap.config.base import Section
from molap.records import write_table
from molap.stages.job import Job, run_job
from molap.tables import performance
from molap.tasks.registry import load_tasks


class Settings(Section):
    """Which networks the table holds."""

    run: str
    tasks: tuple[str, ...]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]
    modules: tuple[str, ...]


def work(job: Job) -> None:
    """Write one row per strategy, source, task and network seed."""
    settings = job.settings
    labels = {name: load_tasks(settings.modules)[name].label for name in settings.tasks}
    write_table(job.outputs["table"], performance(settings.run, settings.kinds, labels, settings.blocks))


if __name__ == "__main__":
    run_job("performance", Settings, work)
