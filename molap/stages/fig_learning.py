"""Draw accuracy during learning, against steps and updates."""

from molap.config.base import Section
from molap.config.tasks import Labels
from molap.figures.learning import draw_learning
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the tasks' labels, and the decay of the learning rate."""

    labels: Labels
    decay: str


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    table = read_table(job.inputs["learning"])
    figure, mean = draw_learning(table, job.settings.labels, job.settings.decay)
    save_figure(figure, job.outputs, job.provenance, {"mean": mean, "tasks": table})


if __name__ == "__main__":
    run_job("fig_learning", Settings, work)
