"""Draw what keeps separate networks on a plateau, with the current and the former training."""

from molap.config.base import Section
from molap.figures.plateau import draw_plateau, mean_over_seeds
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table


class Settings(Section):
    """Settings: how the figure's legend describes each protocol."""

    protocols: dict[str, dict[str, float | int | str]]


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with its data."""
    table = read_table(job.inputs["table"])
    figure = draw_plateau(table, job.settings.protocols)
    data = {"seeds": table, "mean": mean_over_seeds(table)}
    save_figure(figure, job.outputs, job.provenance, data)


if __name__ == "__main__":
    run_job("fig_plateau", Settings, work)
