"""Configurations are read strictly: nothing is dropped, nothing means what it does not say."""

import subprocess

import pytest
import yaml
from workflow_helpers import REPOSITORY

from molap.config.base import ConfigError
from molap.config.run import parse_config, read
from molap.config.yaml_file import read_yaml
from molap.planning.plan import Plan

BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 40))])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"heads: {n_steps: 8}\nseeds: {first: 1}\nheads: {batch_size: 10}\n",
            "'heads' appears twice, in lines 1 and 3",
        ),
        (b"heads:\n  n_steps: 8\n  n_steps: 9\n", "'n_steps' appears twice, in lines 2 and 3"),
        (b'{"heads": {"n_steps": 8},\n "heads": {}}', "'heads' appears twice, in lines 1 and 2"),
        (b"seeds: {first: 010}", "010 in line 1 means 8 in YAML"),
        (b"seeds:\n  networks: 1:30", "1:30 in line 2 means 90 in YAML"),
        (b"heads: {learning_rate: 1:30.5}", "1:30.5 in line 1 means 90.5 in YAML"),
        (b"", "is empty; a mapping of sections is needed"),
        (b"# nothing\n", "is empty; a mapping of sections is needed"),
        (b"[1, 2]", "holds a list; a mapping of sections is allowed"),
        (b"?", "the key None is not allowed; sections have names"),
        (b"yes: {n_steps: 8}", "the key True is not allowed"),
        (b"name: x\n# caf\xe9\n", "is not UTF-8: byte 0xe9 in line 2; save it as UTF-8"),
        ("name: x".encode("utf-16"), "is not UTF-8: byte 0xff in line 1"),
        (b"name: [", "cannot be read as YAML: "),
        (b"name: a\tb: c", "cannot be read as YAML: "),
        (b"name: 2024-13-45", "cannot be read as YAML: month must be in 1..12"),
        (b"name: " + b"9" * 5000, "cannot be read as YAML: Exceeds the limit"),
        (b"name: !!python/object/apply:os.system [id]", "cannot be read as YAML: could not determine a constructor"),
        (b"a: 1\n---\nb: 2\n", "cannot be read as YAML: expected a single document"),
        (b"name: &a [*a]", "holds itself"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "cannot be read as YAML: too deep"),
        (BOMB.encode(), "holds more than 100,000 values"),
    ],
)
def test_what_would_be_lost_or_misread_is_refused_in_one_line(tmp_path, content, message):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_yaml(file)
    assert str(refused.value).startswith(f"{file}: ") and message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a\0b.yaml", "x" * 300])
def test_a_file_that_cannot_be_opened_is_named(tmp_path, name):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path / name if "\0" not in name else name)


def test_what_is_plain_stays_as_it_is(tmp_path):
    text = "name: x\nseeds: {first: 0, networks: 10}\na: &a {b: 0.01, c: 0}\nd: {<<: *a, b: 1e-3}\ne: '010'\n"
    (tmp_path / "plain.yaml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_yaml(tmp_path / "plain.yaml") == yaml.safe_load(text)
    for file in (*REPOSITORY.glob("config/*.yaml"), REPOSITORY / "tests" / "tiny.yaml"):
        assert read_yaml(file) == yaml.safe_load(file.read_text())


def test_null_on_snakemake_s_command_line_is_null():
    assert parse_config({"optimiser": {"clip_norm": "null"}}).optimiser.clip_norm is None


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    import numpy as np

    monkeypatch.setenv("HOME", str(tmp_path))
    np.savez(tmp_path / "net.npz", w_rec=np.eye(4) / 2)
    (tmp_path / "mine.yaml").write_text("reservoirs: {files: {own: ~/net.npz}}")
    planned = Plan(read(tmp_path / "mine.yaml"))
    assert planned.config.reservoirs.files == {"own": f"{tmp_path}/net.npz"}


@pytest.mark.exhaustive
def test_snakemake_refuses_what_molap_refuses(tmp_path):
    from workflow_helpers import Scratch

    scratch = Scratch(tmp_path / "scratch")
    (scratch.folder / "twice.yaml").write_text("name: twice\nheads: {n_steps: 8}\nheads: {batch_size: 10}\n")
    refused = scratch.run("--dry-run", config="twice.yaml")
    text = refused.stdout + refused.stderr
    told = [line for line in text.splitlines() if "appears twice" in line]
    assert refused.returncode == 1 and len(told) == 1 and told[0].endswith("in lines 2 and 3; keep one")
    assert "Traceback" not in text
    words = [*scratch.command("--dry-run"), "--config", "optimiser={clip_norm: null}"]
    planned = subprocess.run(words, cwd=scratch.folder, env=scratch.environment, capture_output=True, text=True)
    assert planned.returncode == 0, planned.stderr
