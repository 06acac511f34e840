"""Draw performance against the strength of perturbations: Fig 4, Figs S1 to S5, and the same relative to intact."""

from typing import Literal

from molap.config.base import Section
from molap.config.tasks import Labels
from molap.figures.perturbations import draw_curves
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: rows of panels, each panel a task and a perturbation."""

    panels: tuple[tuple[tuple[str, str], ...], ...]
    y: Literal["accuracy", "relative"]
    labels: Labels


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    s = job.settings
    figure, data = draw_curves(read_table(job.inputs["robustness"]), s.panels, s.y, s.labels)
    save_figure(figure, job.outputs, job.provenance, data)


if __name__ == "__main__":
    run_job("fig_curves", Settings, work)
