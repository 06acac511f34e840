"""Draw Fig 5 from the tables of generalisation."""

from molap.analysis.generalisation import read_generalisation
from molap.config.base import Section
from molap.config.tasks import Labels
from molap.figures.generalisation import draw_fig5
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the tasks' labels."""

    labels: Labels


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    table, differences = read_generalisation(job.inputs["generalisation"]), read_table(job.inputs["differences"])
    figure = draw_fig5(table, differences, job.settings.labels)
    save_figure(figure, job.outputs, job.provenance, {"performance": table, "differences": differences})


if __name__ == "__main__":
    run_job("fig5", Settings, work)
