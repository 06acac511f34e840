"""Collect the search for the optimiser."""

import pandas as pd

from molap.config.base import Section
from molap.records import write_table
from molap.stages.job import Job, run_job
from molap.tables import performance


class Settings(Section):
    """Which candidates, tasks and kinds of networks were tried."""

    run: str
    tasks: tuple[str, ...]
    kinds: tuple[str, ...]
    block: str
    candidates: dict[str, dict]


def work(job: Job) -> None:
    """Write one row per candidate, strategy, source and task."""
    settings = job.settings
    labels = {task: task for task in settings.tasks}
    frames = []
    for name, choices in settings.candidates.items():
        frame = performance(f"{settings.run}/tune/{name}", settings.kinds, labels, [settings.block])
        frames.append(frame.drop(columns="label").assign(candidate=name, **choices))
    write_table(job.outputs["table"], pd.concat(frames, ignore_index=True))


if __name__ == "__main__":
    run_job("tune_table", Settings, work)
