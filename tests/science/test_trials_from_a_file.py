"""Tasks whose trials are in a file."""

import jax
import numpy as np
import pytest

from molap.config.base import ConfigError
from molap.config.tasks import TrialSettings
from molap.jobs.digests import module_digest, source_digest
from molap.tasks.batch import raw_trials
from molap.tasks.corpus import draw_corpus
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
        places = np.asarray(trials.conditions["trial_of_recorded"])
        seen[stream] = {*places.tolist()}
        np.testing.assert_array_equal(trials.inputs, inputs[:, places])
        assert trials.mask.shape == (20, 400, 1)
    assert sorted(trial for places in seen.values() for trial in places) == list(range(30))
    assert [len(seen[stream]) for stream in ("training", "validation", "test")] == [18, 6, 6]
    once = np.asarray(task.of_stream("test").conditions(KEY, 6, QUIET)["trial_of_recorded"])
    assert {*once.tolist()} == seen["test"]


def test_the_file_s_split_seed_decides_which_trials_are_held_out(tmp_path):
    def held_out(**changes):
        task = load_tasks((save(tmp_path / "recorded.npz", **changes),))["recorded"].of_stream("test")
        return {*np.asarray(task.conditions(KEY, 6, QUIET)["trial_of_recorded"]).tolist()}

    assert held_out() == held_out(split_seed=0)
    assert held_out(split_seed=1) == held_out(split_seed=1.0) != held_out()


@pytest.mark.parametrize("ending", ["npz", "NPZ"])
def test_trials_from_a_file_belong_to_the_digest(tmp_path, ending):
    save(tmp_path / "recorded.npz")
    path = str((tmp_path / "recorded.npz").rename(tmp_path / f"recorded.{ending}"))
    assert [*load_tasks((path,))][-1] == "recorded"
    before = source_digest("molap.stages.head", (path,))
    save(tmp_path / "other.npz", inputs=np.ones((20, 30, 3)))
    (tmp_path / "other.npz").rename(path)
    module_digest.cache_clear()
    assert source_digest("molap.stages.head", (path,)) != before


def test_what_matlab_writes_is_read(tmp_path):
    """`scipy.io.loadmat` returns a scalar as a matrix, and a text as an array."""
    matlab = {"dt": [[20.0]], "label": np.array(["R1"]), "input_names": np.array([b"a", b"b", b"c"])}
    task = load_tasks((save(tmp_path / "recorded.npz", **matlab),))["recorded"]
    assert (task.dt, task.label, task.inputs) == (20.0, "R1", ("a", "b", "c"))


def test_files_of_unlike_numbers_of_trials_keep_to_their_own_in_an_aligned_corpus(tmp_path):
    """Trial i of one file has nothing to do with trial i of the other."""
    paths = []
    for name, n in (("many", 100), ("few", 10)):
        numbers = np.broadcast_to(np.arange(n)[None, :, None], (4, n, 1)).astype(float)
        paths.append(save(tmp_path / f"{name}.npz", inputs=numbers, targets=numbers))
    tasks = [load_tasks(tuple(paths))[name] for name in ("many", "few")]
    shown = draw_corpus(tasks, KEY, 500, QUIET, aligned=True).inputs[0]
    for column, task in zip(shown.T, tasks, strict=True):
        own = task.conditions(KEY, 2000, QUIET)[f"trial_of_{task.name}"]
        assert {*column.tolist()} <= {*np.asarray(own).astype(float).tolist()}
    assert len({*shown[:, 1].tolist()}) == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": None}, "has no inputs; it holds targets"),
        ({"masks": np.zeros(3)}, "holds 'masks', which is not read; .* did you mean mask?"),
        ({"target": np.zeros(3)}, "holds 'target', which is not read; allowed are inputs, targets, mask"),
        (
            {"inputs": np.zeros((20, 30))},
            r"inputs is float64 of shape \(20, 30\); numbers, time × trial × channel, are needed",
        ),
        ({"inputs": np.zeros((30, 20, 3))}, "inputs have 30 steps and 20 trials, targets 20 and 30"),
        (
            {"inputs": np.full((20, 30, 3), 1e39)},
            "inputs is not finite in single precision at step 0, trial 0, channel 0",
        ),
        ({"inputs": np.array([{}, None])}, "holds an array inputs that holds Python objects; numbers are needed"),
        ({"mask": np.zeros((20, 30))}, r"mask is float64 and has the shape \(20, 30\)"),
        ({"mask": np.zeros((20, 1, 1))}, "a mask from 0 to 0"),
        ({"dt": [10, 20]}, r"dt is \[10, 20\]; one number"),
        ({"dt": "ten"}, r"dt is \['ten'\]; one number"),
        ({"window": [0, np.inf]}, r"window is \[0.0, inf\]"),
        ({"mask": np.full((20, 1, 1), "a")}, "mask is <U1 and has the shape"),
        ({"window": [3]}, r"window is \[3\]"),
        ({"window": [15, 30]}, r"window \(15, 30\); give its first step"),
        ({"split_seed": -1}, r"split_seed is \[-1\]; an integer from 0 to 4294967295"),
        ({"split_seed": [1, 2]}, r"split_seed is \[1, 2\]; an integer"),
        ({"split_seed": 0.5}, r"split_seed is \[0.5\]; an integer"),
        ({"input_names": ["a"]}, "input_names has 1 names for 3 channels"),
        ({"targets": np.zeros((20, 30, 2))}, "targets that never change"),
    ],
)
def test_a_file_of_trials_that_cannot_serve_is_refused_in_one_line(tmp_path, changes, words):
    path = save(tmp_path / "recorded.npz", **changes)
    with pytest.raises(ConfigError, match=words) as refusal:
        load_tasks((path,))
    assert "recorded.npz" in str(refusal.value) and "\n" not in str(refusal.value)
