"""The tiny workflow on a real Slurm with two nodes: the same bytes, what was asked for, and how often.

Every group of stages is submitted, but not every figure: Slurm starts a Snakemake for each job.
"""

import csv
import json
import math
from collections import defaultdict

import pytest
import yaml
from reruns import RULES
from slurm_jobs import cluster_copy, overlapping, run, slurm_jobs

from molap.evaluation.sweep_memory import sweep_mb

pytestmark = pytest.mark.services

TINY = "results/tiny"
TARGETS = (
    f"{TINY}/tables/robustness.csv",
    f"{TINY}/tables/forgetting.csv",
    f"{TINY}/figures/fig_areas.png",
    f"{TINY}/sequences/s0-1/joint-rule/joint.npz",
    f"{TINY}/without/delay_pro/evaluation/s0-1/molap-cca/delay_pro.json",
)
N_SUBMITTED = 13
"""For 31 jobs."""


@pytest.fixture(scope="module")
def on_cluster(slurm, tmp_path_factory):
    scratch = cluster_copy(tmp_path_factory.mktemp("slurm"), "cpu")
    status, text = run(scratch, *TARGETS, timeout=1500)
    assert status == 0, text
    return scratch


def test_outputs_equal_those_of_a_local_run(on_cluster, finished):
    ours, theirs = on_cluster.outputs(), finished.outputs()
    assert {*TARGETS} <= ours.keys() <= theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_small_stages_go_to_the_queue_together_and_each_once(on_cluster):
    jobs = slurm_jobs(on_cluster)
    assert len(jobs) == N_SUBMITTED
    assert {job.state for job in jobs} == {"COMPLETED"}


def test_jobs_run_on_both_nodes_at_once(on_cluster):
    pairs = overlapping(slurm_jobs(on_cluster))
    assert pairs and all({a.node, b.node} == {"node1", "node2"} for a, b in pairs)


def test_every_job_asks_for_what_its_stages_were_measured_to_need(on_cluster):
    groups = yaml.safe_load((on_cluster.folder / "workflow/profiles/slurm/config.yaml").read_text())["groups"]
    declared = defaultdict(list)
    for stage, memory_mb, minutes in declared_resources(on_cluster):
        declared[groups.get(RULES.get(stage, stage), stage)].append((memory_mb, minutes))
    submitted = defaultdict(list)
    for job in slurm_jobs(on_cluster):
        assert (job.cpus, job.partition, job.gpus) == (1, "cpu", "N/A")
        submitted[job.rule.split("_")[1]].append(job)  # rule_GROUP_RULES, or rule_RULE_wildcards_VALUES
    assert submitted.keys() == declared.keys()
    for name, jobs in submitted.items():
        memories, minutes = zip(*declared[name], strict=True)
        assert sum(job.minutes for job in jobs) == sum(minutes), name
        assert max(job.memory_mb for job in jobs) == max(memories), name
        assert {job.memory_mb for job in jobs} <= set(memories), name


def declared_resources(scratch):
    """(stage, MB, minutes) of every job of a finished run, from the measured table."""
    with open(scratch.folder / "workflow/resources.csv") as file:
        measured = {row["stage"]: row for row in csv.DictReader(file)}
    process_mb = min(float(row["memory_mb"]) for row in measured.values())
    for path in (scratch.folder / "results/tiny").rglob("*.record.json"):
        stage = json.loads(path.read_text())["stage"]
        n_seeds = 2 if "s0-1" in path.parts else 1
        memory_mb = math.ceil(1.5 * (process_mb + (float(measured[stage]["memory_mb"]) - process_mb) * n_seeds))
        if stage == "perturbation":
            memory_mb = sweep_mb(12, 30)
        yield stage, 400 + memory_mb, 1 + math.ceil(4 / 60 * float(measured[stage]["cpu_s"]) * n_seeds)
