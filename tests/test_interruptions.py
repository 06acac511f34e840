"""Twenty interruptions of one run, at random times: nothing finished is lost, and it ends as an undisturbed run."""

import os
import random
import signal
import subprocess
import time

import psutil
from workflow_helpers import Scratch, differences, stage_jobs, wait_until

N = 20
SNAKEMAKE, JOB, GROUP = "Snakemake", "job", "Ctrl-C"
KINDS = [(number, whom) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL) for whom in (SNAKEMAKE, JOB)]
KINDS.append((signal.SIGINT, GROUP))
RUNNING = 2
"""Jobs at a time, hence how many an interruption may undo."""


def interruptions(rng: random.Random) -> list[tuple[signal.Signals, str, int, float]]:
    """Signal, whom it hits, and after how many finished jobs and seconds; every kind two or three times."""
    kinds = (KINDS * N)[:N]
    rng.shuffle(kinds)
    return [(*kind, rng.randrange(5), rng.uniform(0, 1.5)) for kind in kinds]


def send(number: signal.Signals, whom: str, process: subprocess.Popen, rng: random.Random) -> str | None:
    """Send the signal; the program of the job that was hit, if one was."""
    if whom == GROUP:
        os.killpg(process.pid, number)
    elif whom == SNAKEMAKE:
        process.send_signal(number)
    else:
        while True:
            job = rng.choice(wait_until(lambda: stage_jobs(process), process))
            try:
                program = job.cmdline()[2]
                job.send_signal(number)
            except psutil.Error:  # it has just ended
                continue
            return program
    return None


def records(scratch: Scratch) -> dict[str, int]:
    """Records of finished jobs, and when they were written."""
    return {str(path): path.stat().st_mtime_ns for path in scratch.folder.rglob("*.record.json")}


def whole_outputs(scratch: Scratch) -> dict[str, bytes]:
    """What a reader may take as done; a sweep's cells grow, and say so by their name."""
    growing = (".cells.npz", ".attempt.json")
    return {
        name: content for name, content in scratch.outputs().items() if "/." not in name and not name.endswith(growing)
    }


def test_twenty_interruptions_lose_nothing_and_end_with_the_same_bytes(finished, tmp_path):
    rng, scratch, expected = random.Random(0), Scratch(tmp_path), finished.outputs()
    again, told = [], []
    for number, whom, n_jobs, seconds in interruptions(rng):
        before = records(scratch)
        process = scratch.start(*again)
        wait_until(lambda p=process: stage_jobs(p), process)
        wait_until(lambda old=before, n=n_jobs: len(records(scratch).keys() - old.keys()) >= n, process)
        time.sleep(seconds)
        kept = records(scratch)
        assert sum(kept.get(path) != written for path, written in before.items()) <= RUNNING, "finished jobs are lost"
        hit = send(number, whom, process, rng)
        status = process.wait(120)
        assert status, (number, whom, scratch.output())
        told.append((number, whom, hit, scratch.output()))
        found = whole_outputs(scratch)
        assert differences(found, {name: expected[name] for name in found}) == {}, (number, whom)
        if (number, whom) == (signal.SIGKILL, SNAKEMAKE):
            again = ["--rerun-incomplete"]
            assert scratch.run("--unlock").returncode == 0
    result = scratch.run(*again)
    assert result.returncode == 0, result.stdout + result.stderr
    assert differences(scratch.outputs(), expected) == {}
    assert scratch.planned() == {}
    for name, who, hit, text in told:
        print(name.name, who, hit, [line for line in text.splitlines() if line.startswith("molap") or "Trace" in line])
