"""Draw how effects change with one reading switched at a time."""

from molap.config.base import Section
from molap.figures.attribution import draw_attribution
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the switch that switches nothing."""

    none: str


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    table = read_table(job.inputs["attribution"], keep_default_na=False, na_values=[""])
    figure = draw_attribution(table, job.settings.none)
    save_figure(figure, job.outputs, job.provenance, table)


if __name__ == "__main__":
    run_job("fig_attribution", Settings, work)
