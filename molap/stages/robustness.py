"""Summarise all sweeps: means and standard deviations over draws."""

import pandas as pd

from molap.analysis.robustness import robustness
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """No settings: the inputs say which networks there are."""


def work(job: Job[Settings]) -> None:
    """Write one row per network, perturbation and strength."""
    sweeps = pd.concat([read_table(file) for file in job.inputs.values()], ignore_index=True)
    write_table(job.outputs["table"], robustness(sweeps))


if __name__ == "__main__":
    run_job("robustness", Settings, work)
