"""Check how many programs a job of each kind compiles when it finds none."""

import subprocess
import sys

import pytest
import yaml
from workflow_helpers import REPOSITORY

MOST = 10
KINDS = {"corpus", "testset", "reservoir", "module", "head", "separate", "sequence", "evaluation", "perturbation"}
SMALLER = {
    "tasks": {"names": ["delay_pro", "mem_dm1"]},
    "figures": {"example_task": "mem_dm1"},
    "generalisation": {"left_out": []},
    "perturbations": {"tasks": ["mem_dm1"]},
    "network": {"n_units": 12, "n_modules": 1, "state_noise": 0.1, "biases": True, "readout_init": "n_units"},
}
"""What differs from the tiny configuration: what is drawn in addition, so that there are as many programs as may be."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> list[tuple[str, int]]:
    """Kind and number of programs of every job; the second of a sequence is protected, its first is not."""
    file = tmp_path_factory.mktemp("programs") / "smaller.yaml"
    values = yaml.safe_load((REPOSITORY / "tests" / "tiny.yaml").read_text())
    file.write_text(yaml.safe_dump(values | SMALLER))
    command = [sys.executable, "benchmarks/programs.py", "--config", str(file), "--steps", "2"]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()[1:]]
    return [(words[0], int(words[-2])) for words in lines]


@pytest.mark.benchmarks
def test_no_job_compiles_many_programs(programs):
    """Every small operation of JAX outside of a compiled function would be one; a sequence once had 66."""
    assert {kind for kind, n in programs if n} >= KINDS
    assert {(kind, n) for kind, n in programs if n > MOST} == set()
