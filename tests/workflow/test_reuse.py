"""The package without a checkout, and the workflow as a module of another."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from workflow_helpers import REPOSITORY, UNSET, planned_jobs

pytestmark = pytest.mark.exhaustive

SECOND = """
configfile: "mine.yaml"


module molap:
    snakefile:
        "{workflow}"
    config:
        config


use rule * from molap as molap_*


rule all:
    input:
        "results/tiny/tables/scaling.csv",
    output:
        "lines.txt",
    shell:
        "wc -l < {{input}} > {{output}}"
"""
PROGRAM = """
import json, molap.interface, yaml
found = molap.interface.train(yaml.safe_load(open("mine.yaml")), "none")
print(json.dumps([molap.__path__[0], {task: network.scores for task, network in found.items()}]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder into which pip has installed the package from its sources, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    sources = folder / "sources"
    kept = shutil.ignore_patterns("__pycache__", "*.pyc*", ".*", "results", "docs", "tests")
    shutil.copytree(REPOSITORY, sources, ignore=kept)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--target",
        str(folder / "site"),
        str(sources),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    shutil.rmtree(sources)
    return folder / "site"


def environment(site):
    return {name: value for name, value in os.environ.items() if name not in UNSET} | {"PYTHONPATH": str(site)}


def test_an_installed_package_trains_without_a_checkout(finished, installed, tmp_path):
    shutil.copy(finished.folder / "tiny.yaml", tmp_path / "mine.yaml")
    command = [sys.executable, "-c", PROGRAM]
    result = subprocess.run(command, cwd=tmp_path, env=environment(installed), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    place, scores = json.loads(result.stdout)
    assert place.startswith(str(installed))
    folder = finished.folder / "results/tiny/evaluation/s0-1/molap-none"
    assert scores == {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json") if "." not in file.stem}


def test_another_workflow_uses_this_one_as_a_module(finished, installed, tmp_path):
    shutil.copytree(REPOSITORY / "workflow", tmp_path / "elsewhere" / "workflow")
    shutil.copytree(REPOSITORY / "envs", tmp_path / "elsewhere" / "envs")
    second = tmp_path / "second"
    second.mkdir()
    values = yaml.safe_load((finished.folder / "tiny.yaml").read_text())
    (second / "mine.yaml").write_text(yaml.safe_dump(values))
    snakefile = tmp_path / "elsewhere" / "workflow" / "Snakefile"
    (second / "Snakefile").write_text(SECOND.format(workflow=snakefile))

    def snakemake(*arguments):
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
        result = subprocess.run(command, cwd=second, env=environment(installed), capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    assert planned_jobs(snakemake("--dry-run", "molap_all"))["molap_head"] == 11
    snakemake("all")
    table = (finished.folder / "results/tiny/tables/scaling.csv").read_bytes()
    assert (second / "results/tiny/tables/scaling.csv").read_bytes() == table
    assert int((second / "lines.txt").read_text()) == table.count(b"\n")
