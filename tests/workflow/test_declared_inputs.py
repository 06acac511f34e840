"""Every stage runs where there is nothing but its declared inputs, and writes what it wrote in the workflow."""

import contextlib
import itertools
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from workflow_helpers import OF_TIMES, Scratch

from molap.jobs.forks import Forks
from molap.planning.job_files import expanded
from molap.planning.outputs import PROGRAMS
from molap.planning.reads import READS

ELSEWHERE = {
    "attribution",
    "fig_attribution",
    "fig_modules",
    "fig_plateau",
    "fig_tune",
    "modules",
    "own_network",
    "plateau",
    "plateau_table",
    "search",
    "search_modules",
    "search_sequence",
    "tune_table",
}
"""Stages that the default target of the tiny configuration does not run."""


@pytest.fixture(scope="module")
def shell():
    """A shell's function `python` by which stages start as forks."""
    forks = Forks()
    yield forks.start()
    forks.finish()


def one_job_of_each_stage(scratch: Scratch) -> dict[str, list[str]]:
    """Return the words of one job's command by stage: of the job that reads most, since the first of a sequence reads
    less than the others."""
    result = scratch.run("--dry-run", "--printshellcmds", "--forceall")
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


def test_every_stage_of_the_default_target_reads_what_it_declares(finished, tmp_path, shell):
    jobs = one_job_of_each_stage(finished)
    assert jobs.keys() == {PROGRAMS.get(stage, stage) for stage in READS} - ELSEWHERE
    found = {stage: run_alone(words, finished, tmp_path / stage, shell) for stage, words in jobs.items()}
    assert {stage: files for stage, files in found.items() if files} == {}
