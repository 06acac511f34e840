"""Draw Fig 1C from Table 1."""

from molap.config.base import Section
from molap.figures.counts import draw_fig1c
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """No settings: the figure depends on the table alone."""


def work(job: Job[Settings]) -> None:
    """Draw and save the figure."""
    table1 = read_table(job.inputs["table1"])
    save_figure(draw_fig1c(table1), job.outputs, job.provenance, table1)


if __name__ == "__main__":
    run_job("fig1c", Settings, work)
