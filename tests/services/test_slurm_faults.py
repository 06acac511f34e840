"""What goes wrong on a cluster, on a real Slurm: mended by a retry or the documented restart, or said at once."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from slurm_cluster import NODE_MB, wait_for
from slurm_jobs import RUNS, cluster_copy, messages, overlapping, run, slurm_jobs, started
from tracked_results import active_runs
from workflow_helpers import REPOSITORY

pytestmark = pytest.mark.services

NETWORKS = "results/tiny/networks/s0-1"
RESERVOIR = f"{NETWORKS}/reservoir.npz"
SEPARATE = [f"{NETWORKS}/separate/{task}.npz" for task in ("delay_pro", "mem_dm1", "context_mem_dm1")]


@pytest.fixture
def scratch(slurm, tmp_path):
    return cluster_copy(tmp_path, "other")


def test_a_job_that_needs_more_memory_or_time_gets_it_on_the_retry(scratch):
    """Memory that does not even hold Snakemake, and a minute for what takes 100 seconds."""
    table = (scratch.folder / "workflow/resources.csv").read_text()
    scratch.edit("workflow/resources.csv", re.search("^separate,.*", table, re.MULTILINE)[0], "separate,1,60,1,20")
    scratch.edit("molap/planning/needs.py", "SNAKEMAKE_MINUTES = 400, 1", "SNAKEMAKE_MINUTES = 150, 0")
    slow_down(scratch, "reservoir", 100)
    status, text = run(scratch, SEPARATE[0], RESERVOIR, timeout=600)
    assert status == 0, text
    for rule, ended, reason, column in (
        ("separate", "FAILED", "Exceeded job memory limit", "memory_mb"),
        ("trials", "TIMEOUT", "DUE TO TIME LIMIT", "minutes"),
    ):
        *before, last = slurm_jobs(scratch, rule)
        assert before and last.state == "COMPLETED"
        for job in before:
            (log,) = (scratch.folder / ".snakemake/slurm_logs").rglob(f"{job.number}.log")
            assert job.state == ended and reason in log.read_text()
        asked = [getattr(job, column) for job in (*before, last)]
        assert asked == [asked[0] * 2**i for i in range(len(asked))]


def slow_down(scratch, stage, seconds):
    """Have a stage wait before it computes."""
    begin = "def work(job: Job[Settings]) -> None:\n"
    scratch.edit(f"molap/stages/{stage}.py", begin, f"{begin}    import time; time.sleep({seconds})\n")


def hold_all_but_one(scratch, stage):
    """Have the jobs of a stage wait as long as the file `hold` exists, but for the first to start."""
    (scratch.folder / "hold").touch()
    begin = "def work(job: Job[Settings]) -> None:\n"
    waiting = """    import os, time
    try:
        os.mkdir("first")
    except FileExistsError:
        while os.path.exists("hold"):
            time.sleep(0.2)
"""
    scratch.edit(f"molap/stages/{stage}.py", begin, begin + waiting)


def test_a_cancelled_job_is_tried_again_and_the_master_tracks_it(scratch):
    scratch.set(tracking={"enabled": True})
    with started(scratch, SEPARATE[0]) as process:
        wait_for(lambda: [job for job in slurm_jobs(scratch) if job.state == "RUNNING"])
        (job,) = slurm_jobs(scratch)
        subprocess.run(["scancel", str(job.number)], check=True)
        assert process.wait(600) == 0, messages(scratch)
    assert [job.state for job in slurm_jobs(scratch)] == ["CANCELLED", "COMPLETED"]
    table = active_runs(scratch.folder / "results")
    assert set(table["tags.network_seeds"]) == {"0", "1"} and list(table.status) == ["FINISHED"] * 2


def test_the_documented_restart_after_a_killed_master_duplicates_no_job(scratch):
    hold_all_but_one(scratch, "separate")
    with started(scratch, *SEPARATE) as process:
        wait_for(lambda: "1 of 3 steps" in messages(scratch), 600)
        wait_for(lambda: [job for job in slurm_jobs(scratch) if job.state == "RUNNING"])
        process.kill()
        process.wait()
    before = slurm_jobs(scratch)
    first = min((job for job in before if job.state == "COMPLETED"), key=lambda job: job.end)
    assert [job for job in before if job.state == "RUNNING"], "jobs go on without their master"
    (scratch.folder / "hold").unlink()
    result = restart(scratch, *SEPARATE)
    assert result.returncode == 0, result.stdout + result.stderr
    after = slurm_jobs(scratch)
    assert "CANCELLED" in {job.state for job in after}
    assert not [(a, b) for a, b in overlapping(after) if a.rule == b.rule], "two writers of one file"
    assert [job.number for job in after if job.rule == first.rule] == [first.number], "finished work is not repeated"
    assert all((scratch.folder / file).exists() for file in SEPARATE)


def restart(scratch, *targets):
    """Do what docs/cluster.md says, for some targets of the tiny configuration."""
    (commands,) = re.findall(r"```sh\n(mine\(\).*)slurm\n```", (REPOSITORY / "docs/cluster.md").read_text(), re.DOTALL)
    last = " ".join(["slurm", *RUNS, *targets, "--configfile", "tiny.yaml"])
    return subprocess.run(
        ["bash", "-eu", "-c", commands + last],
        cwd=scratch.folder,
        env=scratch.environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_training_is_given_a_gpu_by_the_second_profile(scratch):
    """Slurm counts GPUs that are not there: what is asked for, not what it is good for."""
    profiles = ("--profile", "workflow/profiles/slurm", "--workflow-profile", "workflow/profiles/slurm-gpu")
    status, text = run(scratch, SEPARATE[0], RESERVOIR, profiles=profiles)
    assert status == 0, text
    asked = {job.rule.split("_wildcards")[0]: (job.partition, job.gpus) for job in slurm_jobs(scratch)}
    assert asked == {"rule_separate": ("gpu", "gres:gpu:1"), "rule_trials_reservoir": ("other", "N/A")}


def test_a_request_that_no_node_can_meet_fails_at_once(scratch):
    begin = time.time()
    status, text = run(scratch, SEPARATE[0], "--set-resources", f"separate:mem_mb={NODE_MB + 1}")
    assert status != 0 and time.time() - begin < 120
    assert "Requested node configuration is not available" in text
    assert {(job.state, job.node) for job in slurm_jobs(scratch)} == {("FAILED", "")}, "none has run"
