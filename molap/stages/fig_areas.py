"""Draw the areas under the curves of all perturbations."""

from molap.config.base import Section
from molap.config.tasks import Labels
from molap.figures.perturbations import draw_areas
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the perturbations in their order, and the labels of the tasks."""

    perturbations: tuple[str, ...]
    labels: Labels


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    table = read_table(job.inputs["areas"])
    save_figure(draw_areas(table, job.settings.perturbations, job.settings.labels), job.outputs, job.provenance, table)


if __name__ == "__main__":
    run_job("fig_areas", Settings, work)
