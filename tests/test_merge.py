"""Results of two machines for different seeds become one run, and nothing is computed again."""

import json
import os
import subprocess
import sys

import pytest
from workflow_helpers import differences

TRAINED = ("networks", "evaluation", "perturbations", "sequences", "learned", "examples", "lesioned")


def merge(here, source):
    command = [sys.executable, "-m", "molap.merge", str(source)]
    return subprocess.run(command, cwd=here.folder, env=here.environment, capture_output=True, text=True)


@pytest.fixture
def two_machines(changed, tmp_path):
    """The tiny run on two machines: each trains one seed, and has made the rest as well."""
    changed.set(seeds={"per_job": 1, "networks": 1})
    other = changed.copy(tmp_path / "other")
    other.set(seeds={"first": 1})
    for scratch in (changed, other):
        result = scratch.run()
        assert result.returncode == 0, result.stdout + result.stderr
    return changed, other


def test_two_machines_seeds_are_one_run_and_only_tables_and_figures_are_made(two_machines, tmp_path):
    here, other = two_machines
    result = merge(here, other.folder / "results" / "tiny")
    assert result.returncode == 0 and " outputs copied, " in result.stdout, result.stdout + result.stderr
    here.set(seeds={"networks": 2})
    planned = here.planned()
    assert planned["performance"] == 1 and not {"head", "separate", "module", "sequence", "evaluation"} & planned.keys()
    before = {path: path.read_bytes() for path in here.folder.rglob("*.npz") if "networks" in path.parts}
    assert here.run().returncode == 0
    assert before == {path: path.read_bytes() for path in before}
    alone = here.copy(tmp_path / "alone")
    for name in TRAINED:
        subprocess.run(["rm", "-r", f"results/tiny/{name}"], cwd=alone.folder, check=True)
    assert alone.run().returncode == 0
    ours, theirs = here.outputs(), alone.outputs()
    assert differences({name: ours[name] for name in theirs}, theirs) == {}


def test_a_damaged_or_missing_file_is_refused_and_nothing_is_copied(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    head = "networks/s0-1/molap-none/mem_dm1.npz"
    for name in (head, head.replace(".npz", ".record.json")):
        os.remove(changed.folder / "results" / "tiny" / name)
    content = (source / head).read_bytes()
    for damage in (content[:-9], None):
        os.remove(source / head)
        if damage:
            (source / head).write_bytes(damage)
        result = merge(changed, source)
        assert result.returncode == 1
        assert f"{head} is missing, or not what its record says; nothing was copied" in result.stderr
        assert not (changed.folder / "results" / "tiny" / head).exists()


def test_results_that_were_made_otherwise_are_refused(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    path = source / "testsets" / "mem_dm1.record.json"
    values = json.loads(path.read_text())
    del values["checksum"]
    values["code"] = "0" * 12
    path.write_text(json.dumps(values))
    result = merge(changed, source)
    assert result.returncode == 1 and "mem_dm1.record.json was made with other code than results/tiny/" in result.stderr


def test_a_folder_without_results_is_refused(changed, tmp_path):
    result = merge(changed, tmp_path)
    assert result.returncode == 1 and result.stderr.startswith(f"molap.merge: {tmp_path} holds no records")
