"""Make the report's page of provenance: seeds, time and memory, versions, machines, digests."""

from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.report.pages import table, write_page
from molap.report.provenance import files, makers, sources, span, stage_times
from molap.storage.files import read_json

RECORDS = "record/"
"""Prefix of the names of inputs that are records."""


class Settings(Section):
    """Settings: the run that is described."""

    run: str


def work(job: Job[Settings]) -> None:
    """Write the page from the records of all jobs behind the report."""
    records = [read_json(path) for name, path in job.inputs.items() if name.startswith(RECORDS)]
    seeds = read_json(job.inputs["configuration"])["seeds"]
    times = stage_times(records).round(1).reset_index()
    shown = [path for name, path in job.inputs.items() if name != "configuration" and not name.startswith(RECORDS)]
    first, last = span(records)
    numbers = range(seeds["first"], seeds["first"] + seeds["networks"])
    write_page(
        job.outputs["page"],
        f"Provenance of the run “{job.settings.run}”",
        f"{len(records)} jobs, the first started {first}, the last ended {last} (UTC); "
        f"{times.cpu_s.max() / 3600:.2f} hours of CPU time. Network seeds: {', '.join(map(str, numbers))}; "
        f"seed of corpus, batches and test sets: {seeds['data']}. "
        "All of it is read from the records beside the outputs.",
        table("Time and memory by stage", TIMES, times, bar="share", strong=times.stage == "all"),
        table("Versions, source and machines", "Each with the number of jobs that it made.", makers(records)),
        table("Source by stage", SOURCES, sources(records)),
        table("Files shown in this report", "To compare with those of another run.", files(shown)),
    )


TIMES = (
    "CPU seconds: start-up (Python and its imports), compilation as JAX measures it, computing; share of the whole "
    "in percent; the largest peak memory of a job in MB (10⁶ bytes)."
)
SOURCES = (
    "The digest covers all modules of <code>molap</code> that the stage imports, and a user's own tasks; comments "
    "and docstrings do not count."
)


if __name__ == "__main__":
    run_job("provenance", Settings, work)
