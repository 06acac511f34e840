"""Tasks whose trials are in a file."""

import jax
import numpy as np
import pytest

from molap.config.base import ConfigError
from molap.config.tasks import TrialSettings
from molap.jobs.digests import module_digest, source_digest
from molap.tasks.batch import raw_trials
from molap.tasks.registry import load_tasks

KEY = jax.random.key(0)
QUIET = TrialSettings(input_noise=0, rescaling="none")


def save(path, **changes):
    rng = np.random.default_rng(0)
    arrays = {"inputs": rng.normal(size=(20, 30, 3)), "targets": rng.normal(size=(20, 30, 2))} | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return str(path)


def test_trials_from_a_file_are_dealt_out_once_and_come_as_they_are(tmp_path):
    path = save(tmp_path / "recorded.npz", mask=np.ones((20, 30, 1)), window=[10, 20], dt=20)
    task = load_tasks((path,))["recorded"]
    inputs = np.load(path)["inputs"].astype(np.float32)
    assert (task.n_steps, task.dt, task.window, task.inputs) == (20, 20.0, (10, 20), ("input1", "input2", "input3"))
    seen = {}
    for stream in ("training", "validation", "test"):
        of_stream = task.of_stream(stream)
        trials = raw_trials(of_stream, KEY, of_stream.conditions(KEY, 400, QUIET), QUIET)
        places = np.asarray(trials.conditions["trial"])
        seen[stream] = {*places.tolist()}
        np.testing.assert_array_equal(trials.inputs, inputs[:, places])
        assert trials.mask.shape == (20, 400, 1)
    assert sorted(trial for places in seen.values() for trial in places) == list(range(30))
    assert [len(seen[stream]) for stream in ("training", "validation", "test")] == [18, 6, 6]
    once = np.asarray(task.of_stream("test").conditions(KEY, 6, QUIET)["trial"])
    assert {*once.tolist()} == seen["test"]


def test_trials_from_a_file_belong_to_the_digest(tmp_path):
    path = save(tmp_path / "recorded.npz")
    before = source_digest("molap.stages.head", (path,))
    save(path, inputs=np.ones((20, 30, 3)))
    module_digest.cache_clear()
    assert source_digest("molap.stages.head", (path,)) != before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": None}, "has no inputs; it holds targets"),
        ({"target": np.zeros(3)}, "holds 'target', which is not read; allowed are inputs, targets, mask"),
        ({"inputs": np.zeros((20, 30))}, r"inputs is float64 of shape \(20, 30\); numbers \(time, trial, channel\)"),
        ({"inputs": np.zeros((30, 20, 3))}, "inputs have 30 steps and 20 trials, targets 20 and 30"),
        ({"inputs": np.full((20, 30, 3), np.nan)}, "inputs is not finite at step 0, trial 0, channel 0"),
        ({"inputs": np.array([{}, None])}, "cannot be read: ValueError: Object arrays"),
        ({"mask": np.zeros((20, 30))}, r"mask has the shape \(20, 30\)"),
        ({"mask": np.zeros((20, 1, 1))}, "a mask from 0 to 0"),
        ({"window": [3]}, r"window is \[3\]"),
        ({"window": [15, 30]}, r"window \(15, 30\); give its first step"),
        ({"input_names": ["a"]}, "input_names has 1 names for 3 channels"),
        ({"targets": np.zeros((20, 30, 2))}, "targets that never change"),
    ],
)
def test_a_file_of_trials_that_cannot_serve_is_refused_in_one_line(tmp_path, changes, words):
    path = save(tmp_path / "recorded.npz", **changes)
    with pytest.raises(ConfigError, match=words) as refusal:
        load_tasks((path,))
    assert "recorded.npz" in str(refusal.value) and "\n" not in str(refusal.value)
