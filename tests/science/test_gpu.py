"""The GPU's benchmark runs, and its comparison of devices finds what differs."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from workflow_helpers import REPOSITORY

BENCHMARKS = REPOSITORY / "benchmarks"


@pytest.fixture(scope="module")
def gpu_report():
    """The benchmark's comparison, which lies outside the package."""
    spec = importlib.util.spec_from_file_location("gpu_report", BENCHMARKS / "gpu_report.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def benchmark(tmp_path):
    """A function that runs the benchmark in small, and returns what it found and printed."""

    def run(*arguments):
        output = tmp_path / "gpu.json"
        command = [sys.executable, "benchmarks/gpu.py", "--tiny", "--folder", tmp_path, "--output", output, *arguments]
        environment = os.environ | {"JAX_PLATFORMS": "cpu"}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(output.read_text()), done.stdout

    return run


@pytest.mark.exhaustive
def test_networks_side_by_side_equal_networks_in_turn_to_rounding(benchmark):
    """Without a GPU the benchmark computes as a GPU does, on the CPU."""
    found, text = benchmark("--parts", "stages")
    compared = {row["output"].split("/")[2] for row in found["differences"]}
    assert compared == {"corpus", "testsets", "primitives", "networks", "sequences", "perturbations"}
    assert 0 < max(row["relative"] for row in found["differences"]) <= found["tolerance"] < 1e-4
    assert "Differences of vmap" in text


@pytest.mark.benchmarks
def test_steps_batches_and_blocks_are_timed(benchmark):
    found, text = benchmark("--parts", "steps", "batches", "block")
    networks = {row["networks"] for row in found["steps-vmap"]["rows"]}
    assert networks == {1, 3} and all(row["ms_per_step"] > 0 for row in found["steps-vmap"]["rows"])
    assert len(found["blocks-cpu"]) == len(found["block-vmap"]["accuracies"]["separate"]) == 2
    for title in ("A training step", "Perturbed networks", "T7, accuracy"):
        assert title in text


def test_a_difference_is_found_in_arrays_and_in_tables(tmp_path, gpu_report):
    one, other = tmp_path / "one", tmp_path / "other"
    weights = np.array([3.0, 4.0], np.float32)
    for folder, change, accuracy in ((one, 0, 50.0), (other, 0.5, 52.5)):
        folder.mkdir()
        np.savez(folder / "network.npz", w_rec=weights + np.array([0, change], np.float32), seeds=np.arange(2))
        (folder / "table.csv").write_text(f"task,mse,accuracy\nmem_pro,0.25,{accuracy}\n")
    arrays, table = gpu_report.differences(one, other)
    assert (arrays["relative"], arrays["largest"], arrays["accuracy_points"]) == (0.1, 0.5, 0)
    assert (table["relative"], table["largest"], table["accuracy_points"]) == (0, 0, 2.5)


def test_the_estimate_adds_up_steps_start_ups_and_perturbations(gpu_report):
    plan = {"jobs": {"head": (3, 1000), "separate": (2, 500)}, "perturbed": {"small": 100, "large": 50}}
    ms = {(100, "heads"): 6.0, (100, "all weights"): 12.0, (200, "all weights"): 24.0}
    rows = gpu_report.estimate(plan, {"start_s": 4.0}, ms, 9.0, {"small": 10.0, "large": 5.0}, 6)
    minutes = {row["stage"]: row["minutes"] for row in rows}
    assert minutes == pytest.approx({"head": 0.5, "separate": 20 / 60, "perturbation": 2.0, "all": 2.5 + 20 / 60})
