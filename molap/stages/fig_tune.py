"""Draw the search for the optimiser."""

import pandas as pd

from molap.config.base import Section
from molap.figures.style import save_figure
from molap.figures.tune import draw_tune
from molap.stages.job import Job, run_job


class Settings(Section):
    """The figure depends on the table alone."""


def work(job: Job) -> None:
    """Draw and save."""
    save_figure(draw_tune(pd.read_csv(job.inputs["table"])), job.outputs["png"], job.provenance, {})


if __name__ == "__main__":
    run_job("fig_tune", Settings, work)
