"""Collect accuracy at the checkpoints of training, with the updates made until then."""

from molap.analysis.learning import learning
from molap.config.base import Section
from molap.config.tasks import Labels
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """Settings: the tasks and their labels."""

    labels: Labels


def work(job: Job[Settings]) -> None:
    """Write one row per strategy, source, task, network seed and checkpoint."""
    files = dict(job.inputs)
    counts = read_table(files.pop("counts"))
    write_table(job.outputs["table"], learning(files, job.settings.labels, counts))


if __name__ == "__main__":
    run_job("learning", Settings, work)
