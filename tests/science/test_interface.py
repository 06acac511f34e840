"""The Python interface trains the networks that the workflow trains, and its example runs as printed."""

import doctest
import re

import jax
import numpy as np
import pytest
import yaml
from workflow_helpers import REPOSITORY

from molap.config.base import ConfigError
from molap.interface import train
from molap.storage.files import load_arrays


@pytest.mark.parametrize("source", ["cca", "none"])
def test_networks_and_scores_equal_those_of_the_workflow(finished, source):
    config = yaml.safe_load((finished.folder / "tiny.yaml").read_text())
    trained = train(config, source)
    assert list(trained) == config["tasks"]["names"]
    for task, found in trained.items():
        expected = load_arrays(finished.folder / f"results/tiny/networks/s0-1/molap-{source}/{task}.npz")
        assert set(found.weights) == set(expected) - {"seeds"}
        for name, values in found.weights.items():
            np.testing.assert_array_equal(values, expected[name])
        rows = (finished.folder / f"results/tiny/evaluation/s0-1/molap-{source}/{task}.json").read_text()
        assert found.scores == yaml.safe_load(rows)
        for network, row in zip(found.networks, found.scores, strict=True):
            assert network.seed == row["network_seed"]
            assert network.score() == {name: row[name] for name in network.score()}


def test_outputs_follow_from_the_weights(finished):
    config = yaml.safe_load((finished.folder / "tiny.yaml").read_text())
    network = train(config, "none")["mem_dm1"]
    inputs = np.random.default_rng(0).normal(size=(110, 4, 2)).astype(np.float32)
    w_in, w_rec, w_out = (network.weights[name][1].astype(np.float64) for name in ("w_in", "w_rec", "w_out"))
    h, outputs = np.zeros((4, len(w_rec))), []
    for x in inputs:
        h = np.tanh(h @ w_rec.T + x @ w_in.T)
        outputs.append(h @ w_out.T)
    np.testing.assert_allclose(network.outputs(inputs, seed=1), outputs, atol=1e-3)


@pytest.mark.parametrize(
    ("config", "source", "message"),
    [
        ({}, "ica", "source: 'ica' is not allowed; allowed: cca, pca, none"),
        ({"heads": {"n_step": 1}}, "cca", "n_step"),
        ({"tasks": None}, "cca", "tasks"),
        ({"tasks": []}, "cca", "tasks"),
    ],
)
def test_bad_input_is_refused_in_one_line(config, source, message):
    with pytest.raises(ConfigError, match=message) as refused:
        train(config, source)
    assert "\n" not in str(refused.value)


@pytest.mark.exhaustive
def test_the_example_of_the_documentation_runs_as_printed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (REPOSITORY / "docs" / "your-own.md").read_text(encoding="utf-8")
    (task,) = re.findall(r"```python\n# late_pro.py\n(.*?)```", page, re.DOTALL)
    (tmp_path / "late_pro.py").write_text(task)
    (example,) = re.findall(r"```python\n(>>> .*?)```", page, re.DOTALL)
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(example, {}, "docs/your-own.md", None, 0))
    assert runner.tries >= 3 and runner.failures == 0
    assert jax.config.jax_enable_x64 is False
