"""Collect accuracy at the checkpoints of training, with the updates spent until then."""

from molap.analysis.learning import learning
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """Which networks the table holds."""

    run: str
    labels: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]


def work(job: Job) -> None:
    """Write one row per strategy, source, task, network seed and checkpoint."""
    s = job.settings
    counts = read_table(job.inputs["counts"])
    write_table(job.outputs["table"], learning(s.run, s.kinds, dict(s.labels), s.blocks, counts))


if __name__ == "__main__":
    run_job("learning", Settings, work)
