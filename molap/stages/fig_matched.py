"""Draw performance against the number of weights that lesions hit."""

from molap.config.base import Section
from molap.config.tasks import Labels
from molap.figures.perturbations import draw_matched
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the rows of the figure, and its lines."""

    tasks: tuple[str, ...]
    perturbations: tuple[str, ...]
    labels: Labels


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    s = job.settings
    figure, data = draw_matched(read_table(job.inputs["robustness"]), s.tasks, s.perturbations, s.labels)
    save_figure(figure, job.outputs, job.provenance, data)


if __name__ == "__main__":
    run_job("fig_matched", Settings, work)
