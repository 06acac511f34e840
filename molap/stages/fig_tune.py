"""Draw the search for the optimiser."""

from molap.config.base import Section
from molap.figures.style import save_figure
from molap.figures.tune import draw_tune
from molap.records import read_table
from molap.stages.job import Job, run_job


class Settings(Section):
    """The figure depends on the table alone."""


def work(job: Job) -> None:
    """Draw and save."""
    save_figure(draw_tune(read_table(job.inputs["table"])), job.outputs["png"], job.provenance, {})


if __name__ == "__main__":
    run_job("fig_tune", Settings, work)
