"""Report canonical correlations and explained variance."""

from molap.analysis.collect import components
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import load_arrays, write_table


class Settings(Section):
    """Settings: the fits that the table holds."""

    sources: tuple[str, ...]


def work(job: Job[Settings]) -> None:
    """Write one row per source and component."""
    fits = {source: load_arrays(job.inputs[source]) for source in job.settings.sources}
    correlations, target_r2 = (
        {source: fit[name] for source, fit in fits.items()} for name in ("correlations", "target_r2")
    )
    write_table(job.outputs["table"], components(correlations, target_r2))


if __name__ == "__main__":
    run_job("components", Settings, work)
