"""Draw how trained weights and updates grow with tasks and units."""

from molap.config.base import Section
from molap.figures.learning import draw_scaling
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the size at which the number of tasks varies."""

    n_units: int


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    table = read_table(job.inputs["scaling"])
    save_figure(draw_scaling(table, job.settings.n_units), job.outputs, job.provenance, table)


if __name__ == "__main__":
    run_job("fig_scaling", Settings, work)
