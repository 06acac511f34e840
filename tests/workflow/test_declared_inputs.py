"""Every stage runs where there is nothing but its declared inputs, and writes what it wrote in the workflow."""

import numpy as np
import pytest
from alone import differing, one_job_of_each_stage

from molap.planning.outputs import PROGRAMS
from molap.planning.reads import READS

FURTHER = {
    "modules": ("modules", "fig_modules"),
    "article": ("article",),
    "tune": ("search", "search_modules", "search_sequence", "tune_table", "fig_tune"),
    "diagnose": ("plateau", "plateau_table", "fig_plateau"),
}
"""Targets beside the default one, and the stages that these alone run."""
CHANGED = {
    "attribution": ("attribution", "fig_attribution"),
    "results/tiny/networks/s0-1/molap-own/mem_dm1.npz": ("own_network",),
}
"""Targets of the configuration below, and the stages that these alone run."""


@pytest.mark.exhaustive
def test_every_stage_of_the_default_target_reads_what_it_declares(finished, tmp_path):
    jobs = one_job_of_each_stage(finished)
    elsewhere = {stage for stages in (FURTHER | CHANGED).values() for stage in stages}
    assert jobs.keys() == {PROGRAMS.get(stage, stage) for stage in READS} - elsewhere
    assert differing(finished, jobs, tmp_path / "alone") == {}


@pytest.mark.benchmarks
def test_every_stage_of_the_further_targets_reads_what_it_declares(complete, tmp_path):
    jobs = {
        stage: words
        for target, stages in FURTHER.items()
        for stage, words in one_job_of_each_stage(complete, target).items()
        if stage in stages
    }
    assert jobs.keys() == {stage for stages in FURTHER.values() for stage in stages}
    assert differing(complete, jobs, tmp_path / "alone") == {}


@pytest.mark.benchmarks
@pytest.mark.parametrize("target", CHANGED)
def test_every_stage_that_a_changed_configuration_adds_reads_what_it_declares(changed, tmp_path, target):
    np.savez(changed.folder / "own.npz", w_rec=np.random.default_rng(0).normal(0, 0.3, (12, 12)))
    switches = {"fewer": {"evaluation": {"n_trials": 25}}, "protocol": {"separate": {"n_steps": 6}}}
    changed.set(attribution={"switches": switches, "claims": [1], "networks": 2})
    if "own" in target:
        changed.set(reservoirs={"files": {"own": "own.npz"}})
    result = changed.run(target)
    assert result.returncode == 0, result.stdout + result.stderr
    jobs = one_job_of_each_stage(changed, target)
    assert differing(changed, {stage: jobs[stage] for stage in CHANGED[target]}, tmp_path / "alone") == {}
