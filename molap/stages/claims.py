"""Judge the paper's claims on the tables of a run."""

from molap.claims.model import Claims
from molap.claims.verdicts import judge
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """Settings: the claims, and how they are tested."""

    claims: Claims


def work(job: Job[Settings]) -> None:
    """Write one row per claim, and one per part of a claim."""
    tables = {name: read_table(path, keep_default_na=False, na_values=[""]) for name, path in job.inputs.items()}
    verdicts, parts = judge(job.settings.claims, tables)
    write_table(job.outputs["table"], verdicts)
    write_table(job.outputs["parts"], parts)
    job.metrics |= {f"n/{verdict}": int(n) for verdict, n in verdicts.verdict.value_counts().items()}


if __name__ == "__main__":
    run_job("claims", Settings, work)
