"""Draw Fig 3 from the table of robustness and the lesioned examples."""

from molap.config.tasks import Labels
from molap.figures.perturbations import draw_fig3
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.stages.shown import ShownSettings, shown
from molap.storage.files import load_arrays, read_table


class Settings(ShownSettings):
    """Settings: the task that is shown, and the lesioned network beside it."""

    task: str
    kind: str
    labels: Labels
    strength: float


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with the data of every panel."""
    s = job.settings
    table, example = read_table(job.inputs["robustness"]), load_arrays(job.inputs["example"])
    figure, data = draw_fig3(table, example, s.task, s.labels, s.kind, s.strength, shown(s))
    save_figure(figure, job.outputs, job.provenance, data)


if __name__ == "__main__":
    run_job("fig3", Settings, work)
