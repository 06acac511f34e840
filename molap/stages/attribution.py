"""Follow the effects behind claims through the runs with one reading switched."""

from molap.claims.attribution import attribution
from molap.claims.model import Claims
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """Settings: the claims that are followed, and the switch that switches nothing."""

    claims: Claims
    none: str


def work(job: Job[Settings]) -> None:
    """Write one row per part of a claim and switch."""
    runs: dict[str, dict] = {}
    for name, path in job.inputs.items():
        switch, _, table = name.partition(".")
        runs.setdefault(switch, {})[table] = read_table(path, keep_default_na=False, na_values=[""])
    write_table(job.outputs["table"], attribution(job.settings.claims, runs, job.settings.none))


if __name__ == "__main__":
    run_job("attribution", Settings, work)
