"""A run that is interrupted, at random times, loses nothing finished and ends as an undisturbed run."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from workflow_helpers import Scratch, differences, stage_jobs, wait_until

from molap.storage.files import record_path
from molap.storage.paths import RESULTS

N = 20
SNAKEMAKE, JOB, GROUP = "Snakemake", "job", "Ctrl-C"
KINDS = [(number, whom) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL) for whom in (SNAKEMAKE, JOB)]
KINDS.append((signal.SIGINT, GROUP))
RUNNING = 2
"""Jobs at a time, which is how many an interruption may undo."""


def interruptions(rng: random.Random) -> list[tuple[signal.Signals, str, int, float]]:
    """Signal, whom it hits, and after how many finished jobs and seconds; every kind two or three times."""
    kinds = (KINDS * N)[:N]
    rng.shuffle(kinds)
    return [(*kind, rng.randrange(5), rng.uniform(0, 1.5)) for kind in kinds]


def hit_a_job(number: signal.Signals, process: subprocess.Popen, scratch: Scratch, rng: random.Random) -> Path:
    """Send a signal to jobs that run until one fails of it, and has not just ended; the file that it was to write."""
    output = None
    while process.poll() is None and "Error in rule" not in scratch.output():
        for job in rng.sample(found := stage_jobs(process), k=min(1, len(found))):
            with contextlib.suppress(psutil.Error, ValueError):
                words = job.cmdline()
                output = scratch.folder / words[words.index("--output") + 1].partition("=")[2]
                job.send_signal(number)
                job.wait(600)
        time.sleep(0.5)
    return output


def assert_told(number: signal.Signals, output: Path, text: str, since: float) -> None:
    """A line about the job that was hit, unless that was before it began its work; it began since then, if at all."""
    attempt = Path(record_path(str(output)).replace(".record.", ".attempt."))
    if attempt.exists() and attempt.stat().st_mtime >= since:
        expected = "failed: interrupted" if number == signal.SIGINT else f"failed: killed before it wrote {RESULTS}/"
        assert re.search(rf"^molap .*{expected}", text, re.MULTILINE), text


def records(scratch: Scratch) -> dict[str, int]:
    """Records of finished jobs, and when they were written."""
    return {str(path): path.stat().st_mtime_ns for path in scratch.folder.rglob("*.record.json")}


def whole_outputs(scratch: Scratch) -> dict[str, bytes]:
    """What a reader may take as done; a sweep's cells grow, and say so by their name."""
    growing = (".cells.npz", ".attempt.json")
    return {name: content for name, content in scratch.outputs().items() if not name.endswith(growing)}


def test_a_killed_run_goes_on_where_it_was(finished, changed):
    run = changed.folder / "results/tiny"
    shutil.rmtree(run / "evaluation")  # Snakemake makes a file that is missing if another one needs it
    for file in [*(run / "networks").rglob("mem_dm1*"), *(run / "tables").glob("performance*")]:
        file.unlink()
    wanted = f"{RESULTS}/tiny/tables/performance.csv"
    before = records(changed)
    process = changed.start(wanted)
    wait_until(lambda: len(records(changed).keys() - before.keys()) >= 2, process)
    process.kill()
    process.wait(60)
    kept = {path: written for path, written in records(changed).items() if path not in before}
    assert changed.run("--unlock").returncode == 0
    result = changed.run(wanted)
    assert result.returncode == 0, result.stdout + result.stderr
    after = records(changed)
    assert sum(after[path] != written for path, written in kept.items()) <= RUNNING
    assert differences(changed.outputs(), finished.outputs()) == {}


@pytest.mark.exhaustive
def test_twenty_interruptions_lose_nothing_and_end_with_the_same_bytes(finished, tmp_path):
    rng, scratch, expected = random.Random(0), Scratch(tmp_path), finished.outputs()
    repeated = 0
    for n_before, (number, whom, n_jobs, seconds) in enumerate(interruptions(rng)):
        before, since = records(scratch), time.time()
        process = scratch.start()
        wait_until(lambda p=process: stage_jobs(p), process)
        wait_until(lambda old=before, n=n_jobs: len(records(scratch).keys() - old.keys()) >= n, process)
        time.sleep(seconds)
        kept = records(scratch)
        repeated += sum(kept.get(path) != written for path, written in before.items())
        assert repeated <= RUNNING * n_before, "only jobs that were running may be repeated"
        if whom == JOB:
            output = hit_a_job(number, process, scratch, rng)
        else:
            (os.killpg if whom == GROUP else os.kill)(process.pid, number)
        assert process.wait(600) != 0, (number, whom, scratch.output())
        if whom == JOB:
            assert_told(number, output, scratch.output(), since)
        found = whole_outputs(scratch)
        assert differences(found, {name: expected[name] for name in found}) == {}, (number, whom)
        if (number, whom) == (signal.SIGKILL, SNAKEMAKE):
            assert scratch.run("--unlock").returncode == 0
    result = scratch.run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert differences(scratch.outputs(), expected) == {}
    assert scratch.planned() == {}
    print(f"{N} interruptions, {repeated} finished jobs repeated")
