"""Collect the evaluations of tasks that were left out of the corpus, beside the same tasks included."""

from molap.analysis.generalisation import generalisation
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """Which networks the table holds, and which of them another run has scored."""

    run: str
    tasks: tuple[str, ...]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]
    labels: dict[str, str]
    left_out: tuple[tuple[str, ...], ...]
    single: str
    sources: tuple[str, ...]
    shared: dict[str, dict[str, str]] | None = None


def work(job: Job) -> None:
    """Write one row per source, task, corpus and network seed."""
    s = job.settings
    labels = {task: s.labels[task] for task in s.tasks}
    write_table(
        job.outputs["table"],
        generalisation(s.run, s.kinds, labels, s.left_out, s.blocks, s.single, s.sources, s.shared),
    )


if __name__ == "__main__":
    run_job("generalisation", Settings, work)
