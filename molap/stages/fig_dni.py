"""Draw how networks that learn in sequence perform after each task, alone or with their baselines."""

import pandas as pd

from molap.config.base import Section
from molap.config.tasks import Labels
from molap.figures.continual import draw_continual
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: the tasks' labels."""

    labels: Labels


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data; the run's own networks come first, then any baselines."""
    files = [job.inputs[name] for name in ("continual", "baselines") if name in job.inputs]
    scores = pd.concat([read_table(file, keep_default_na=False) for file in files], ignore_index=True)
    performance = read_table(job.inputs["performance"])
    data = {"scores": scores[scores.order == 0], "joint": performance[performance.strategy == "joint"]}
    save_figure(draw_continual(scores, performance, job.settings.labels), job.outputs, job.provenance, data)


if __name__ == "__main__":
    run_job("fig_dni", Settings, work)
