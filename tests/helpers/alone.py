"""Run jobs where there is nothing but their declared inputs, and compare what they write with the workflow's."""

import contextlib
import itertools
import shlex
import shutil
import subprocess
from pathlib import Path

from workflow_helpers import OF_TIMES, Scratch

from molap.jobs.forks import Forks
from molap.planning.job_files import expanded


def one_job_of_each_stage(scratch: Scratch, *targets: str) -> dict[str, list[str]]:
    """Return the words of one job's command by stage: of the job that reads most, since the first of a sequence reads
    less than the others.

    Args:
        scratch: a copy in which the targets are finished.
        targets: of Snakemake; the default target where none is given.
    """
    result = scratch.run("--dry-run", "--printshellcmds", "--forceall", *targets)
    assert result.returncode == 0, result.stderr
    found: dict[str, list[str]] = {}
    for line in (result.stdout + result.stderr).splitlines():
        _, command, rest = line.partition("python -m molap.stages.")
        if not command:
            continue
        words = shlex.split(rest)
        with contextlib.chdir(scratch.folder):
            words = expanded(words)
        found[words[0]] = max(found.get(words[0], []), words, key=len)
    return found


def files(words: list[str], flag: str) -> list[str]:
    """Return the files that a command names after a flag."""
    return [word.partition("=")[2] for before, word in itertools.pairwise(words) if before == flag]


def run_alone(words: list[str], scratch: Scratch, folder: Path, shell: str) -> list[str]:
    """Run a job in a folder with its inputs alone; return the outputs that differ from those of the workflow's job."""
    folder.mkdir()
    for file in files(words, "--input"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(scratch.folder / file, folder / file)
    result = subprocess.run(
        ["bash", "-c", f"{shell}\npython -m molap.stages.{shlex.join(words)}"],
        cwd=folder,
        env=scratch.environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    outputs = [file for file in files(words, "--output") if not file.endswith(OF_TIMES)]
    return [file for file in outputs if (folder / file).read_bytes() != (scratch.folder / file).read_bytes()]


def differing(scratch: Scratch, jobs: dict[str, list[str]], folder: Path) -> dict[str, list[str]]:
    """Return the stages whose job, run alone, writes something else than in the workflow, with the files."""
    found = {}
    folder.mkdir()
    with Forks() as shell:
        for stage, words in jobs.items():
            if files := run_alone(words, scratch, folder / stage, shell):
                found[stage] = files
    return found
