"""Run the workflow on the tests' Slurm, and read what Slurm says about its jobs."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from workflow_helpers import Scratch

FORMAT = "%i|%Z|%k|%T|%C|%m|%l|%P|%N|%b|%S|%e"
RUNS = ["--slurm-init-seconds-before-status-checks", "3", "--max-status-checks-per-second", "1"]
"""Looks for finished jobs more often than one would at a cluster that others use."""
PROFILE = ("--workflow-profile", "workflow/profiles/slurm")


class SlurmJob(NamedTuple):
    """What Slurm was asked for, and what became of it."""

    number: int
    rule: str
    state: str
    cpus: int
    memory_mb: int
    minutes: int
    partition: str
    node: str
    gpus: str
    start: datetime | None
    end: datetime | None


def slurm_jobs(scratch: Scratch, rule: str = "") -> list[SlurmJob]:
    """All jobs that came from a folder, first to last; only those whose rule and wildcards contain a text."""
    command = ["squeue", "--noheader", "--states=all", f"--format={FORMAT}"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    rows = [line.split("|") for line in lines]
    found = [_job(row) for row in rows if row[1] == str(scratch.folder) and rule in row[2]]
    return sorted(found, key=lambda job: job.number)


def _job(row: list[str]) -> SlurmJob:
    number, _, comment, state, cpus, memory, limit, partition, node, gpus, start, end = row
    days, hours, minutes, _ = map(int, re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit).groups(default="0"))
    megabytes = int(float(memory[:-1]) * {"M": 1, "G": 1024}[memory[-1]])
    times = [None if time == "N/A" else datetime.fromisoformat(time) for time in (start, end)]
    limit_minutes = 60 * (24 * days + hours) + minutes
    return SlurmJob(
        int(number), comment, state, int(cpus), megabytes, limit_minutes, partition, node, gpus, times[0], times[1]
    )


def overlapping(jobs: list[SlurmJob]) -> list[tuple[SlurmJob, SlurmJob]]:
    """Pairs of jobs that ran at the same time."""
    ran = [job for job in jobs if job.start and job.end]
    return [(a, b) for a in ran for b in ran if a.number < b.number and a.start < b.end and b.start < a.end]


def cluster_copy(folder: Path, partition: str) -> Scratch:
    """A scratch copy with the edit that docs/cluster.md asks of a user."""
    scratch = Scratch(folder)
    asked = "# default-resources:\n#   slurm_account: my-account\n#   slurm_partition: my-partition\n"
    given = f"default-resources:\n  slurm_account: lab\n  slurm_partition: {partition}\n"
    scratch.edit("workflow/profiles/slurm/config.yaml", asked, given)
    return scratch


@contextmanager
def started(scratch: Scratch, *arguments: str, profiles: Sequence[str] = PROFILE) -> Iterator[subprocess.Popen]:
    """Snakemake with targets and options; its messages go to `snakemake.log`. Killed at the end if it still runs."""
    command = [sys.executable, "-m", "snakemake", *arguments, *profiles, *RUNS, "--configfile", "tiny.yaml"]
    with open(scratch.folder / "snakemake.log", "w") as log:
        process = subprocess.Popen(command, cwd=scratch.folder, env=scratch.environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run(scratch: Scratch, *arguments: str, timeout: float = 600, profiles: Sequence[str] = PROFILE) -> tuple[int, str]:
    """Run Snakemake to its end, which must come within `timeout` seconds: exit status and messages."""
    with started(scratch, *arguments, profiles=profiles) as process:
        return process.wait(timeout), messages(scratch)


def messages(scratch: Scratch) -> str:
    """What Snakemake has said."""
    return (scratch.folder / "snakemake.log").read_text()
