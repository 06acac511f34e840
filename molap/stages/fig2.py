"""Draw Fig 2 from the tables and the examples."""

from molap.figures.performance import draw_fig2, example_tables
from molap.figures.style import save_figure
from molap.jobs.job import Job, run_job
from molap.stages.shown import ShownSettings, shown
from molap.storage.files import load_arrays, read_table


class Settings(ShownSettings):
    """Settings: the task that is shown in detail, and the kinds of networks for it."""

    task: str
    kinds: tuple[str, ...]


def work(job: Job[Settings]) -> None:
    """Draw and save the figure, with the data of every panel."""
    performance, curves = (read_table(job.inputs[name]) for name in ("performance", "curves"))
    curves = curves[(curves.stage == job.settings.task) & (curves.strategy == "molap")]
    examples = {kind.removeprefix("molap-"): load_arrays(job.inputs[kind]) for kind in job.settings.kinds}
    data = {"performance": performance, "loss": curves[curves.source.isin(examples)]} | example_tables(examples)
    save_figure(
        draw_fig2(performance, examples, curves, job.settings.task, shown(job.settings)),
        job.outputs,
        job.provenance,
        data,
    )


if __name__ == "__main__":
    run_job("fig2", Settings, work)
