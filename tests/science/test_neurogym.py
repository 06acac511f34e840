"""Environments of neurogym as tasks, compared step by step with the environments themselves."""

import importlib
import sys
import warnings

import jax
import numpy as np
import pytest

from molap.config.base import ConfigError
from molap.config.tasks import TrialSettings
from molap.jobs.digests import parts
from molap.tasks.batch import raw_trials
from molap.tasks.from_neurogym import by_action, neurogym_task
from molap.tasks.pool import pool_of
from molap.tasks.registry import load_tasks

QUIET = TrialSettings(input_noise=0, rescaling="none")


@pytest.fixture
def neurogym():
    with warnings.catch_warnings(action="ignore"):
        yield pytest.importorskip("neurogym", reason="pip install --no-deps -r envs/neurogym.txt")


def environment(neurogym, name: str, settings: dict):
    """The environment without neurogym's `make`, seeded, at the start of its second trial, as after `reset`."""
    if name.startswith("yang19."):
        collection = importlib.import_module("neurogym.envs.collections.yang19")
        env = getattr(collection, name.removeprefix("yang19.").removesuffix("-v0"))(**settings)
    else:
        env = neurogym.make(name, **settings).unwrapped
    env.seed(0)
    env.reset()
    env.new_trial()
    for part in getattr(env, "envs", [env]):
        part.unwrapped.t = part.unwrapped.t_ind = 0
    return env


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("yang19.go-v0", {}),
        ("yang19.rtanti-v0", {"dt": 50}),
        ("yang19.dm1-v0", {"sigma": 0}),
        ("yang19.ctxdlydm2-v0", {"sigma": 0, "dt": 20}),
        ("yang19.dnmc-v0", {"sigma": 0}),
        ("PerceptualDecisionMaking-v0", {"sigma": 0}),
        ("DualDelayMatchSample-v0", {"sigma": 0}),
        ("GoNogo-v0", {}),
    ],
)
def test_trials_are_those_that_a_fixating_agent_sees(neurogym, name, settings):
    n_trials = 25
    of_task = {key: value for key, value in settings.items() if key != "sigma"}
    inputs, targets = pool_of(neurogym_task(name, n_trials=n_trials, **of_task))[:2]
    assert ((targets == 0) | (targets == 1)).all() and (targets.sum(axis=2) <= 1).all()
    env = environment(neurogym, name, settings)
    seen = env.unwrapped.ob[0]
    for trial in range(n_trials):
        for step in range(len(inputs)):
            np.testing.assert_array_equal(inputs[step, trial], seen)
            seen, _, _, _, info = env.step(0)
            assert targets[step, trial].argmax() == info["gt"] and targets[step, trial].sum() == 1
            if info["new_trial"]:
                break
        seen = env.unwrapped.ob[0]  # when two environments take turns, `step` returns what the other one shows
        assert info["new_trial"] and not inputs[step + 1 :, trial].any() and not targets[step + 1 :, trial].any()


def test_what_follows_the_end_of_a_trial_has_no_weight(neurogym):
    task = load_tasks(("neurogym:yang19.dm1-v0",))["yang19_dm1"]
    trials = raw_trials(task, jax.random.key(0), task.conditions(jax.random.key(1), 50, QUIET), QUIET)
    lengths = trials.targets.sum(axis=(0, 2))
    assert len({*lengths.tolist()}) > 3 and lengths.max() <= task.n_steps == 12
    np.testing.assert_array_equal(trials.mask[:, :, 0], np.arange(12)[:, None] < lengths)
    assert (trials.inputs[trials.mask[:, :, 0] == 0] == 0).all()


def test_a_task_says_what_its_environment_is(neurogym):
    task = load_tasks(("neurogym:yang19.dlygo-v0",))["yang19_dlygo"]
    assert (task.label, task.n_steps, task.dt, task.window, task.mask) == ("dlygo", 20, 100.0, (15, 20), None)
    assert task.inputs == ("fixation", *(f"input{i}" for i in range(1, 33)))
    assert task.outputs == ("fixation", *(f"choice{i}" for i in range(1, 17)))
    named = neurogym_task("PerceptualDecisionMaking-v0", n_trials=10, label="RDM", dt=50)
    assert (named.name, named.label, named.dt) == ("perceptual_decision_making", "RDM", 50.0)


def test_on_the_ring_of_yang19_a_neighbour_of_the_target_is_right_and_elsewhere_it_is_wrong(neurogym):
    for name, settings, right in (
        ("yang19.go-v0", {}, True),
        ("yang19.go-v0", {"degrees": 20.0}, False),
        ("PerceptualDecisionMaking-v0", {}, False),
    ):
        task = neurogym_task(name, n_trials=10, **settings)
        targets, outputs = np.zeros((2, 1, 1, len(task.outputs)))
        targets[:, :, 1] = outputs[:, :, 2] = 1
        assert task.decide(outputs, targets).tolist() == [[True, right]]


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(neurogym):
    one, again, other = (pool_of(neurogym_task("yang19.multidm-v0", n_trials=30, seed=seed)) for seed in (0, 0, 1))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, again, strict=True))
    assert one[0].shape != other[0].shape or (one[0] != other[0]).any()


def test_jobs_depend_on_the_version_of_neurogym_only_if_they_read_its_tasks(neurogym, tmp_path):
    (tmp_path / "own.py").write_text("from molap.tasks.from_neurogym import neurogym_task\n")
    (tmp_path / "other.py").write_text("import molap.tasks.task\n")
    users = ("neurogym:yang19.go-v0",), (str(tmp_path / "own.py"),), (str(tmp_path / "other.py"),), ()
    of = [parts("molap.stages.head", modules) for modules in users]
    assert [found.get("neurogym") for found in of] == [neurogym.__version__] * 2 + [None] * 2
    assert parts("molap.stages.head", ("neurogym:yang19.anti-v0",)) != of[0]


def signals(*steps: list[float]) -> np.ndarray:
    """One trial, step by step."""
    return np.array(steps)[:, None]


# Ten actions on a ring, 36° apart, after fixation.
FIXATE = [1.0] + [0.0] * 10
ANSWER_2 = [0.0] * 3 + [1.0] + [0.0] * 7
ANSWER_9 = [0.0] * 10 + [1.0]
NONE = [0.0] * 11


def weak(base: list[float], fixation: float = 0.0) -> list[float]:
    """Outputs a tenth as strong, with the given fixation."""
    return [fixation, *(0.1 * value for value in base[1:])]


@pytest.mark.parametrize(
    ("targets", "outputs", "degrees", "right"),
    [
        # The strongest output counts, however weak it is.
        ([FIXATE, ANSWER_2], [NONE, weak(ANSWER_2)], 0, (True, True)),
        # 36° away from the target: right on the ring, wrong where only the right action counts.
        ([ANSWER_2], [[0.0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]], 36, (True, True)),
        ([ANSWER_2], [[0.0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]], 0, (True, False)),
        ([ANSWER_9], [[0.0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]], 36, (True, True)),  # 36° across 0°
        ([ANSWER_2], [[0.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]], 36, (True, False)),  # 72°
        # Who still fixates has not answered.
        ([ANSWER_2], [weak(ANSWER_2, 0.6)], 36, (False, False)),
        # The mean over the steps of the answer: 0.6, 0.3 → 0.45.
        ([ANSWER_2, ANSWER_2], [weak(ANSWER_2, 0.6), weak(ANSWER_2, 0.3)], 36, (True, True)),
        # Outputs before the answer and after the trial's end do not count.
        ([FIXATE, ANSWER_2, NONE], [ANSWER_9, weak(ANSWER_2), ANSWER_9], 36, (True, True)),
        # No answer is wanted: fixation alone counts.
        ([FIXATE, FIXATE], [weak(ANSWER_2, 0.8), weak(ANSWER_2, 0.4)], 36, (True, True)),
        ([FIXATE, FIXATE, NONE], [weak(ANSWER_2, 0.8), weak(ANSWER_2, 0.1), FIXATE], 36, (False, False)),
        # Two answers in one trial must both be right.
        ([ANSWER_2, FIXATE, ANSWER_9], [ANSWER_2, FIXATE, ANSWER_9], 0, (True, True)),
        ([ANSWER_2, FIXATE, ANSWER_9], [ANSWER_2, FIXATE, ANSWER_2], 0, (True, False)),
        ([ANSWER_2], [[np.nan] * 11], 36, (False, False)),
    ],
)
def test_an_answer_is_the_most_active_output_while_it_is_wanted(targets, outputs, degrees, right):
    decided = by_action(True, float(degrees))(signals(*outputs), signals(*targets))
    assert decided.dtype == bool and decided.tolist() == [list(right)]


def test_without_fixation_every_action_is_an_answer():
    decide = by_action(False)
    targets = np.eye(3)[[[0, 1], [0, 2]]]  # two steps of two trials
    assert decide(targets, targets).tolist() == [[True], [True]]
    outputs = np.eye(3)[[[0, 1], [0, 1]]]
    assert decide(outputs, targets).tolist() == [[True], [False]]


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("neurogym:yang19.goo-v0", "has no environment 'yang19.goo-v0'; similar are .*yang19.go-v0"),
        ("neurogym:Bandit-v0", "has no ground truth"),
        ("neurogym:ReachingDelayResponse-v0", "discrete actions are needed"),
        ("neurogym:HierarchicalReasoning-v0", "different trials for the same seed"),
        ("neurogym:Reaching1D-v0", "one of its 3 actions is needed at each of 10 steps"),
    ],
)
def test_an_environment_that_cannot_serve_is_refused_in_one_line(neurogym, module, words):
    with pytest.raises(ConfigError, match=words) as refusal:
        load_tasks((module,))
    assert module in str(refusal.value) and "\n" not in str(refusal.value)


def test_arguments_that_an_environment_does_not_have_are_refused_in_one_line(neurogym):
    for settings, words in (({"speed": 3}, "cannot be made: .*speed"), ({"n_trials": 2}, "n_trials = 2")):
        with pytest.raises(ConfigError, match=words) as refusal:
            neurogym_task("yang19.go-v0", **settings)
        assert "\n" not in str(refusal.value)


def test_without_neurogym_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "neurogym", None)
    with pytest.raises(ConfigError, match=r"pip install --no-deps -r envs/neurogym.txt") as refusal:
        load_tasks(("neurogym:yang19.go-v0", "no-such-module"))
    assert "\n" not in str(refusal.value)
