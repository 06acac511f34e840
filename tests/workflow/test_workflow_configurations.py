"""Other configurations of the workflow: the released readings run, wrong ones are refused."""

import os
import subprocess
import sys

import numpy as np
import pytest
import yaml
from workflow_helpers import Scratch

pytestmark = pytest.mark.exhaustive


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heads: {learning_rate: -1}", "heads.learning_rate: -1 is not allowed"),
        ("haeds: {n_steps: 3}", "haeds: unknown key"),
        ("tasks: {names: mem_pro}", "tasks.names: 'mem_pro' is not allowed; give a list"),
        ("tasks: {names: [mem_por]}", "there is no task 'mem_por'; tasks are delay_pro"),
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_is_written(tmp_path, text, message):
    scratch = Scratch(tmp_path)
    (tmp_path / "wrong.yaml").write_text(f"name: wrong\n{text}\n")
    result = scratch.run(config="wrong.yaml")
    assert result.returncode != 0
    assert message in result.stdout + result.stderr
    assert not (tmp_path / "results").exists()


def test_the_released_readings_run_to_an_evaluation(tmp_path):
    """All switches of the preset `released` at once, at the sizes of the tiny configuration."""
    scratch = Scratch(tmp_path)
    released = yaml.safe_load((scratch.folder / "config/released.yaml").read_text())
    sizes = {"n_units", "n_modules", "n_steps", "batch_size"}
    scratch.set(
        **{
            section: {key: value for key, value in values.items() if key not in sizes}
            for section, values in released.items()
            if section != "name"
        }
    )
    kinds = ("molap-cca", "molap-pca", "molap-none", "separate")
    result = scratch.run(*(f"results/tiny/evaluation/s0-1/{kind}/mem_dm1.json" for kind in kinds))
    assert result.returncode == 0, result.stdout + result.stderr
    networks = tmp_path / "results/tiny/networks/s0-1"
    with np.load(networks / "reservoir.npz") as drawn, np.load(networks / "molap-cca/module2.npz") as trained:
        np.testing.assert_array_equal(drawn["h0"], drawn["w_in"][:, :, 0])
        assert (drawn["w_rec"][:, :, 0] != trained["w_rec"][:, :, 0]).all(), "module 2 trains the row of unit 0"
        np.testing.assert_array_equal(drawn["b_rec"], trained["b_rec"])
    with np.load(networks / "molap-cca/module2.npz") as frozen, np.load(networks / "molap-cca/mem_dm1.npz") as head:
        np.testing.assert_array_equal(frozen["w_rec"], head["w_rec"])
        assert head["b_out"].shape == (2, 2) and head["h0"].shape == (2, 12)


def test_all_cores_are_used_unless_the_command_line_says_otherwise(tmp_path):
    scratch = Scratch(tmp_path)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--force",
        "results/tiny/configuration.json",
        "--configfile",
        "tiny.yaml",
    ]
    for more, cores in (([], len(os.sched_getaffinity(0))), (["--cores", "3"], 3)):
        result = subprocess.run(
            [*command, *more], cwd=tmp_path, env=scratch.environment, capture_output=True, text=True
        )
        log = max((tmp_path / ".snakemake" / "log").iterdir()).read_text()
        assert result.returncode == 0 and f"Provided cores: {cores}\n" in log, result.stderr
