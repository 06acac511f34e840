"""Faults of machine, files and training on the tiny run: told in one line, nothing finished lost, the same end."""

import os
import re
import resource
import signal
import subprocess

import numpy as np
import psutil
import pytest
from workflow_helpers import assert_done, stage_jobs, told, wait_until, working

pytestmark = pytest.mark.exhaustive

BLOCK = "results/tiny/networks/s0-1"
SEPARATE, HEAD = f"{BLOCK}/separate/mem_dm1.npz", f"{BLOCK}/molap-none/mem_dm1.npz"
"""Networks of two branches that do not depend on each other."""
BRANCHES = (SEPARATE, HEAD)


def remove(scratch, *files):
    for file in files:
        (scratch.folder / file).unlink()


def test_a_damaged_file_is_named_when_read_with_the_command_that_repairs_it(changed, finished):
    """Cut in the middle, cut at the end of a line, one digit changed: none is taken as it is."""
    tables = "results/tiny/tables"
    cut, shorter = "results/tiny/primitives/pca.npz", f"{tables}/counts.csv"
    digit, record = "results/tiny/evaluation/s0-1/separate/mem_dm1.json", HEAD.replace(".npz", ".record.json")
    for file, damage in {
        cut: lambda content: content[: len(content) // 2],
        shorter: lambda content: content[: content[:-1].rindex(b"\n") + 1],
        digit: lambda content: re.sub(rb"(accuracy\D+\d)", rb"\g<1>1", content, count=1),
        record: lambda content: re.sub(rb"(\"mse\"\D+\d)", rb"\g<1>1", content, count=1),
    }.items():
        path = changed.folder / file
        before, content = path.stat().st_mtime_ns, path.read_bytes()
        path.write_bytes(damage(content))
        assert path.read_bytes() != content
        os.utime(path, ns=(before, before))
    readers = [f"{tables}/{name}.csv" for name in ("components", "table1", "performance", "curves")]
    remove(changed, *readers)
    result = changed.run("--keep-going", *readers)
    assert result.returncode != 0
    lines = told(result.stderr)
    assert len(lines) == 4, result.stderr
    for file, reader in zip((cut, shorter, digit, record), readers, strict=True):
        (line,) = (line for line in lines if f"{file} is damaged" in line)
        assert line.startswith(f"molap {os.path.basename(reader).removesuffix('.csv')} failed: FileDamaged")
        repair = re.search(r"to have it made again: (rm [^;,]+), then snakemake as before", line).group(1)
        subprocess.run(repair, shell=True, check=True, cwd=changed.folder)
    assert_done(changed, finished, *readers)


def test_lines_are_written_whole_also_where_python_does_not_buffer(changed):
    """Otherwise the lines of jobs that fail at once are joined. A pipe of packets (Linux) keeps each write apart."""
    counts, table1 = (changed.folder / f"results/tiny/tables/{name}.csv" for name in ("counts", "table1"))
    before = counts.stat().st_mtime_ns
    counts.write_text("damaged\n")
    os.utime(counts, ns=(before, before))
    table1.unlink()
    reading, writing = os.pipe2(os.O_DIRECT)
    environment = changed.environment | {"PYTHONUNBUFFERED": "1"}
    process = changed.start(str(table1.relative_to(changed.folder)), stderr=writing, env=environment)
    os.close(writing)
    writes = list(iter(lambda: os.read(reading, 4096), b""))
    os.close(reading)
    assert process.wait(600) != 0
    (line,) = (write for write in writes if write.startswith(b"molap table1 failed"))
    assert b"counts.csv is damaged" in line
    ours = writes[writes.index(b"Building DAG of jobs...\n") :]  # what comes before is not shown by our plugin
    assert [write for write in ours if not write.endswith(b"\n")] == []


def test_two_snakemakes_in_one_directory_are_one(changed, finished):
    remove(changed, *BRANCHES)
    first = changed.start(*BRANCHES)
    job, *_ = wait_until(lambda: stage_jobs(first), first)
    job.suspend()
    second = changed.run(*BRANCHES)
    job.resume()
    assert second.returncode != 0 and "Directory cannot be locked" in second.stderr
    assert first.wait(600) == 0, changed.output()
    assert_done(changed, finished, *BRANCHES)


def test_a_job_that_outlives_its_snakemake_is_waited_for(changed, finished):
    remove(changed, HEAD)
    killed = changed.start(HEAD)
    attempt = changed.folder / HEAD.replace(".npz", ".attempt.json")
    wait_until(attempt.exists, killed)
    orphans = working(killed)
    assert len(orphans) == 2
    for orphan in orphans:
        orphan.suspend()
    server = psutil.Process(orphans[1].ppid())
    server.kill()  # at its own end it would wake its forks
    killed.kill()
    killed.wait()
    assert changed.run("--unlock").returncode == 0
    again = changed.start(HEAD)
    wait_until(lambda: f"another process is still at work on {HEAD}" in changed.output(), again)
    assert not (changed.folder / HEAD).exists()
    for orphan in orphans:
        orphan.resume()
    assert again.wait(600) == 0, changed.output()
    assert_done(changed, finished, HEAD)


def test_a_job_killed_for_memory_is_told_at_the_end_and_other_branches_go_on(changed, finished):
    """The kernel frees memory by SIGKILL."""
    remove(changed, *BRANCHES)
    process = changed.start("--keep-going", *BRANCHES)
    attempt = changed.folder / SEPARATE.replace(".npz", ".attempt.json")
    wait_until(attempt.exists, process)
    (job,) = (job for job in stage_jobs(process) if "molap.stages.separate" in job.cmdline())
    job.send_signal(signal.SIGKILL)
    assert process.wait(600) != 0
    (line,) = told(changed.output())
    assert line.startswith(f"molap separate failed: killed before it wrote {SEPARATE}") and "memory" in line
    assert (changed.folder / HEAD).exists() and not (changed.folder / SEPARATE).exists()
    assert_done(changed, finished, *BRANCHES)


def test_a_job_that_asks_for_more_memory_than_there_is_says_so_and_other_branches_go_on(changed, finished):
    remove(changed, HEAD)
    changed.set(separate={"batch_size": 100_000})
    limit = 2_500_000_000  # bytes of address space, of which a job of the tiny run takes half
    options = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))}
    process = changed.start("--keep-going", *BRANCHES, **options)
    assert process.wait(600) != 0
    (line,) = told(changed.output())
    assert line.startswith("molap separate task=mem_dm1 seeds=0,1 failed: out of memory")
    assert "fewer jobs at a time" in line and (changed.folder / HEAD).exists()
    changed.set(separate={"batch_size": 10})
    assert_done(changed, finished, *BRANCHES)


def test_a_loss_that_is_not_finite_stops_its_job_with_stage_step_and_seed(changed, finished):
    """A penalty that is too large for one of the two seeds of a branch; the other branch goes on."""
    with np.load(changed.folder / SEPARATE.replace(".npz", ".checkpoints.npz")) as before_training:
        weights = [before_training[name][0].astype(float) for name in ("w_in", "w_rec", "w_out")]
    squares = sum((array**2).sum(axis=(1, 2)) for array in weights)
    remove(changed, HEAD)
    changed.set(separate={"weight_penalty": float(np.finfo(np.float32).max / squares.mean())})
    process = changed.start("--keep-going", *BRANCHES)
    assert process.wait(600) != 0
    (line,) = told(changed.output())
    expected = f"seed {squares.argmax()}: the loss is not finite at step 0 "
    assert line.startswith(f"molap separate task=mem_dm1 seeds=0,1 failed: FloatingPointError: {expected}")
    assert (changed.folder / HEAD).exists()
    changed.set(separate={"weight_penalty": 1e-5})
    assert_done(changed, finished, *BRANCHES)
