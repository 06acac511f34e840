"""Draw accuracy, explained variance and cost by number of modules."""

from molap.config.base import Section
from molap.config.tasks import Labels
from molap.figures.modules import draw_modules
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the tasks' labels."""

    labels: Labels


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    table = read_table(job.inputs["table"])
    save_figure(draw_modules(table, job.settings.labels), job.outputs, job.provenance, table)


if __name__ == "__main__":
    run_job("fig_modules", Settings, work)
