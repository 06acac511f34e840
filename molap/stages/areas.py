"""Compute areas under the curves of performance against the strength of a perturbation."""

from molap.analysis.robustness import areas
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """No settings: the table follows from the curves alone."""


def work(job: Job[Settings]) -> None:
    """Write one row per network and perturbation."""
    write_table(job.outputs["table"], areas(read_table(job.inputs["robustness"])))


if __name__ == "__main__":
    run_job("areas", Settings, work)
