"""Summarise all sweeps: means and deviations over draws."""

from molap.analysis.robustness import read_sweeps, robustness
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import write_table


class Settings(Section):
    """Which networks the table holds, and which of them another run has scored."""

    run: str
    tasks: tuple[str, ...]
    kinds: tuple[str, ...]
    blocks: tuple[str, ...]
    shared: dict[str, dict[str, str]] | None = None


def work(job: Job) -> None:
    """Write one row per network, perturbation and strength."""
    s = job.settings
    write_table(job.outputs["table"], robustness(read_sweeps(s.run, s.kinds, s.tasks, s.blocks, s.shared)))


if __name__ == "__main__":
    run_job("robustness", Settings, work)
