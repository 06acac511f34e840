"""Draw the search for training settings."""

from molap.config.base import Section
from molap.figures.style import save_figure
from molap.figures.tune import draw_tune, shown
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """No settings: the figure depends on its tables alone."""


def work(job: Job[Settings]) -> None:
    """Draw and save the figure."""
    rows = shown(read_table(job.inputs["table"]), read_table(job.inputs["choice"]))
    save_figure(draw_tune(rows), job.outputs, job.provenance, rows)


if __name__ == "__main__":
    run_job("fig_tune", Settings, work)
