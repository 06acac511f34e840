"""Compare left-out tasks with the same tasks included, and with no pre-training, in pairs of network seeds."""

from molap.analysis.generalisation import differences, read_generalisation
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """No settings: the table follows from the accuracies alone."""


def work(job: Job[Settings]) -> None:
    """Write one row per source, task and left-out set."""
    write_table(job.outputs["table"], differences(read_generalisation(job.inputs["generalisation"])))


if __name__ == "__main__":
    run_job("differences", Settings, work)
