"""Tasks that differ from the nine: other lengths, conditions, decisions and masks, and trials from a file."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from long_task import HELPER, LONG, write_long_task

from molap.config.base import ConfigError
from molap.config.evaluation import CriterionSettings, TaskCriterion
from molap.config.network import InitSettings
from molap.config.run import parse_config
from molap.config.tasks import TrialSettings
from molap.config.training import PhaseSettings
from molap.evaluation.criterion import Rule, best_constant_accuracy, correct_decisions, metrics, rule_of
from molap.interface import train
from molap.jobs.digests import module_digest, source_digest, user_sources
from molap.networks.rnn import draw_params, draw_w_rec, run
from molap.networks.shared import Layout, add_channels, all_inputs, new_network
from molap.planning.plan import Plan
from molap.tasks.batch import draw_trials, raw_trials
from molap.tasks.corpus import draw_corpus
from molap.tasks.registry import load_tasks
from molap.tasks.task import Task, named, ring
from molap.tasks.trial import during
from molap.training.joint import joint_objective
from molap.training.objectives import loss, mean_squared_error, task_objective

KEY = jax.random.key(0)
INIT = InitSettings(readout_init="n_units")
QUIET = TrialSettings(input_noise=0, rescaling="none")


@pytest.fixture
def long_task(tmp_path):
    return write_long_task(tmp_path)


class OneValue(NamedTuple):
    level: jax.Array


def constant_draw(values):
    return lambda key, n_trials, s: OneValue(jnp.asarray(values, jnp.float32))


def step_task(name, n_steps, draw, **more):
    """Shows its level during all of a trial, and wants twice the level on the last step."""

    def build(conditions, s):
        shown = jnp.broadcast_to(conditions.level, (n_steps, *conditions.level.shape))
        wanted = jnp.zeros_like(shown).at[-1].set(2 * conditions.level)
        return shown[..., None], wanted[..., None]

    return Task(name, name.upper(), build, (f"{name}_in",), ("answer",), (0, 1), (0, 2), n_steps, draw=draw, **more)


def test_a_corpus_of_unlike_lengths_is_padded_or_cut_as_worked_by_hand():
    tasks = [step_task("long", 4, constant_draw([0.5, 1.0])), step_task("short", 3, constant_draw([0.25, 0.75]))]
    padded = draw_corpus(tasks, KEY, 2, QUIET, aligned=False)
    np.testing.assert_array_equal(
        padded.inputs[:, 1], [[1.0, 0.75], [1.0, 0.75], [1.0, 0.75], [1.0, 0.0]]
    )  # of the second trial; the short task shows nothing on the fourth step
    np.testing.assert_array_equal(padded.targets[:, 1], [[0, 0], [0, 0], [0, 1.5], [2, 0]])
    cut = draw_corpus(tasks, KEY, 2, QUIET, aligned=False, lengths="truncate")
    np.testing.assert_array_equal(cut.inputs[:, 0], [[0.5, 0.25]] * 3)
    np.testing.assert_array_equal(cut.targets[:, 0], [[0, 0], [0, 0], [0, 0.5]])


def test_padding_is_at_rest_after_rescaling_and_has_noise():
    tasks = [step_task("long", 6, constant_draw([0.5])), step_task("short", 2, constant_draw([0.25]))]
    tasks = [task._replace(input_bounds=(-1, 1)) for task in tasks]
    quiet = draw_corpus(tasks, KEY, 1, TrialSettings(input_noise=0), aligned=False)
    np.testing.assert_array_equal(quiet.inputs[2:, 0, 1], [0.5] * 4)  # 0 lies in the middle of the bounds
    noisy = draw_corpus(tasks, KEY, 1, TrialSettings(input_noise=0.1), aligned=False)
    assert len(np.unique(noisy.inputs[2:, 0, 1])) == 4


@pytest.mark.parametrize(("bounds", "rest"), [((0.5, 2.5), 0), ((-3, -1), 1), ((-1, 3), 0.25)])
def test_padding_stays_within_the_bounds_of_a_task(bounds, rest):
    """Rescaled, it is the bound next to zero where the bounds exclude zero."""
    short = step_task("short", 2, constant_draw([0.5]))
    level = sum(bounds) / 2
    short = short._replace(
        build=lambda conditions, s: (jnp.full((2, 1, 1), level), jnp.full((2, 1, 1), level)),
        input_bounds=bounds,
        target_bounds=bounds,
    )
    tasks = [step_task("long", 4, constant_draw([0.5])), short]
    padded = draw_corpus(tasks, KEY, 1, TrialSettings(input_noise=0), aligned=False)
    for values in (padded.inputs, padded.targets):
        np.testing.assert_allclose(values[:, 0, 1], [0.5, 0.5, rest, rest])


def test_aligned_tasks_share_the_conditions_of_one_name_alone():
    draw = lambda key, n, s: OneValue(jax.random.uniform(key, (n,)))  # noqa: E731
    other = lambda key, n, s: {"level": jax.random.normal(key, (n,)), "own": jax.random.normal(key, (n,))}  # noqa: E731

    def build(conditions, s):
        signals = jnp.stack([jnp.broadcast_to(conditions[name], (3, *conditions[name].shape)) for name in conditions])
        return jnp.moveaxis(signals, 0, -1), jnp.moveaxis(signals, 0, -1)[..., :1]

    second = Task("second", "S", build, ("level", "own"), ("answer",), draw=other)
    tasks = [step_task("first", 3, draw), second._replace(n_steps=3)]
    aligned = draw_corpus(tasks, KEY, 50, QUIET, aligned=True).inputs[0]
    np.testing.assert_array_equal(aligned[:, 0], aligned[:, 1])
    assert np.corrcoef(aligned[:, 0], aligned[:, 2])[0, 1] < 0.99
    independent = draw_corpus(tasks, KEY, 50, QUIET, aligned=False).inputs[0]
    assert abs(np.corrcoef(independent[:, 0], independent[:, 1])[0, 1]) < 0.5
    wide = second._replace(n_steps=3, draw=lambda key, n, s: {"level": jnp.zeros((n, 2)), "own": jnp.zeros(n)})
    with pytest.raises(
        ValueError, match=r"corpus.alignment: the condition level is float32 of shape \(\) in first and"
    ):
        draw_corpus([tasks[0], wide], KEY, 5, QUIET, aligned=True)


@pytest.mark.parametrize("shape", [(7, 1, 2), (7, 5, 1), (7, 5, 2), (7, 1, 1)])
def test_the_masked_loss_is_that_of_a_loop(shape):
    rng = np.random.default_rng(0)
    outputs, targets = rng.normal(size=(2, 7, 5, 2)).astype(np.float32)
    mask = rng.uniform(0, 2, shape).astype(np.float32)
    total = weight = 0.0
    for place in np.ndindex(7, 5, 2):
        m = mask[tuple(i if n > 1 else 0 for i, n in zip(place, shape, strict=True))]
        total, weight = total + m * (outputs[place] - targets[place]) ** 2, weight + m
    assert float(mean_squared_error(jnp.asarray(outputs), targets, mask)) == pytest.approx(total / weight, rel=1e-5)


def test_a_batch_that_is_masked_altogether_has_no_error():
    ones = jnp.ones((3, 2, 1))
    assert float(mean_squared_error(ones, np.zeros((3, 2, 1), np.float32), jnp.zeros((3, 1, 1)))) == 0


def test_two_files_may_each_have_a_helper_of_one_name(tmp_path):
    for name, label in (("one", "A1"), ("other", "B1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "helper.py").write_text(f"{HELPER}\nLABEL = {label!r}\n")
        text = LONG.replace("import signals", "import LABEL, signals").replace('"I1"', "LABEL")
        (tmp_path / name / f"tasks_{name}.py").write_text(text.replace('"integrate"', f'"{name}"'))
    tasks = load_tasks(tuple(str(tmp_path / name / f"tasks_{name}.py") for name in ("one", "other")))
    assert [tasks[name].label for name in ("one", "other")] == ["A1", "B1"]


def test_conditions_without_a_name_are_a_task_s_own():
    ranges = ((0, 1), (5, 6))
    tasks = []
    for i, (low, high) in enumerate(ranges):
        draw = lambda key, n, s, low=low, high=high: (jax.random.uniform(key, (n,), minval=low, maxval=high),)  # noqa: E731
        build = lambda c, s: (jnp.broadcast_to(c[0], (3, *c[0].shape))[..., None],) * 2  # noqa: E731
        tasks.append(Task(f"task{i}", f"L{i}", build, ("x",), ("y",), (0, 6), (0, 6), 3, draw=draw))
    shown = draw_corpus(tasks, KEY, 50, QUIET, aligned=True).inputs[0]
    assert all(low <= column.min() <= column.max() <= high for column, (low, high) in zip(shown.T, ranges, strict=True))


def test_the_mask_of_a_task_reaches_its_objective():
    mask = lambda conditions, s: jnp.ones((5, 1, 1)).at[:3].set(0)  # noqa: E731
    draw = lambda key, n, s: OneValue(jax.random.uniform(key, (n,)))  # noqa: E731
    task = step_task("masked", 5, draw, mask=mask)
    batch = draw_trials(task, KEY, 20, TrialSettings()).batch()
    network = draw_params(0, draw_w_rec(0, 6, 1.2), 1, 1, "masked", INIT)
    _, found = task_objective(PhaseSettings(learning_rate=0.01, n_steps=1, weight_penalty=0, activity_penalty=0))(
        network, batch, KEY
    )
    outputs = np.asarray(run(network, jnp.asarray(batch[0]))[0])
    assert float(found) == pytest.approx(((outputs - batch[1])[3:] ** 2).mean(), rel=1e-5)


def test_joint_training_takes_unlike_lengths_and_masks():
    draw = lambda key, n, s: OneValue(jax.random.uniform(key, (n,)))  # noqa: E731
    mask = lambda conditions, s: jnp.arange(3.0)[:, None, None]  # noqa: E731
    tasks = [step_task("long", 5, draw), step_task("short", 3, draw, mask=mask)]
    layout, network = Layout(), new_network(0, 6, 1.2, INIT)
    for task in tasks:
        network, layout = add_channels(network, layout, task, True, 0, INIT), layout.with_task(task, True)
    batches = [draw_trials(task, KEY, 7, TrialSettings()).batch() for task in tasks]
    _, found = joint_objective(
        PhaseSettings(learning_rate=0.01, n_steps=1, weight_penalty=0, activity_penalty=0), 0.0, layout, tasks
    )(network, batches, KEY)
    errors = []
    for task, (inputs, targets, *_) in zip(tasks, batches, strict=True):
        outputs = np.asarray(run(network, jnp.asarray(all_inputs(layout, task, inputs)))[0])
        squares = ((outputs - targets) ** 2).mean(axis=(1, 2))
        errors.append(np.average(squares, weights=None if task.mask is None else [0, 1, 2]))
    assert float(found) == pytest.approx(np.mean(errors), rel=1e-5)


def test_ring_decisions_are_those_of_the_angles():
    """Twelve units, 30° apart: an answer one unit off is right, two off is wrong."""
    decide = ring(slice(1, None), degrees=36.0)
    targets = np.zeros((4, 3, 13), np.float32)
    targets[:, [0, 1], [3, 1]] = 1
    targets[:, 2, 0] = 1  # the third trial wants fixation
    for off, right in ((0, True), (1, True), (-1, True), (2, False), (6, False)):
        outputs = np.zeros_like(targets)
        for trial, place in ((0, 3), (1, 1)):
            outputs[:, trial, 1 + (place - 1 + off) % 12] = 1
        outputs[:, 2, 0] = 1
        np.testing.assert_array_equal(decide(outputs, targets), [[True, right], [True, right], [True, True]])
    moves = np.zeros_like(targets)
    assert decide(moves, targets)[2].tolist() == [False, False]
    assert decide(np.ones_like(targets), targets)[0].tolist() == [False, False]
    assert not decide(np.full_like(targets, np.nan), targets).any()


def test_rules_of_a_task_replace_the_paper_s():
    rng = np.random.default_rng(0)
    targets = rng.uniform(size=(20, 30, 2))
    outputs = targets + rng.normal(0, 0.2, targets.shape)
    criterion = CriterionSettings(window=5, fixation_tolerance=0.3)
    deviation = np.abs(outputs[4:9].mean(axis=0) - targets[4:9].mean(axis=0))
    found = correct_decisions(outputs, targets, criterion, Rule(fixation=None, window=(4, 9)))
    np.testing.assert_array_equal(found, deviation <= 0.1)
    fixation_last = correct_decisions(outputs, targets, criterion, Rule(fixation=1, window=(4, 9)))
    np.testing.assert_array_equal(fixation_last, deviation <= [0.1, 0.3])
    scores = metrics(outputs, targets, criterion, Rule(fixation=1, window=(4, 9)))
    assert scores["decision_accuracy"] == pytest.approx(100 * (deviation[:, 0] <= 0.1).mean())
    assert scores["response_mse"] == pytest.approx(((outputs - targets)[4:9] ** 2).mean())
    own = Rule(None, (4, 9), lambda y, z: (y.mean(axis=0) > 0.5) == (z.mean(axis=0) > 0.5))
    scores = metrics(outputs, targets, criterion, own)
    expected = (outputs[4:9].mean(axis=0) > 0.5) == (targets[4:9].mean(axis=0) > 0.5)
    assert scores["accuracy"] == pytest.approx(100 * expected.mean())
    high = (targets[4:9].mean(axis=0) > 0.5).mean(axis=0)
    np.testing.assert_allclose(best_constant_accuracy(targets, criterion, own), np.maximum(high, 1 - high))


@pytest.mark.exhaustive
def test_a_task_of_150_steps_with_conditions_of_its_own_is_trained(long_task):
    config = {
        "tasks": {"modules": [long_task], "names": ["integrate", "mem_pro"]},
        "network": {"n_units": 12},
        "corpus": {"n_trials": 20},
        "pretraining": {"n_steps": 2, "batch_size": 5},
        "heads": {"n_steps": 2, "batch_size": 5},
        "evaluation": {"n_trials": 20},
        "generalisation": {"left_out": []},
        "tune": {"tasks": ["mem_pro"]},
    }
    found = train(config)
    assert found["integrate"].outputs(np.zeros((150, 4, 2), np.float32)).shape == (150, 4, 2)
    assert 0 <= found["integrate"].scores[0]["accuracy"] <= 100
    task = load_tasks((long_task,))["integrate"]
    rule = rule_of("integrate", TaskCriterion(modules=(long_task,)))
    assert rule == Rule(0, (125, 150), None)
    trials = raw_trials(task, KEY, task.conditions(KEY, 9, QUIET), QUIET)
    strength = np.asarray(named(trials.conditions)["strength"])
    np.testing.assert_array_equal(trials.inputs[:, :, 1], np.asarray(during(20, 100, 150)) * strength)


def test_what_a_task_file_imports_from_beside_it_belongs_to_the_digest(long_task, tmp_path):
    helper = tmp_path / "helper.py"
    assert user_sources((long_task,)) == [long_task, str(helper)]
    before = source_digest("molap.stages.head", (long_task,))
    helper.write_text(HELPER.replace("jnp.sign(strength)", "-jnp.sign(strength)"))
    source_digest.cache_clear()  # as in another process
    module_digest.cache_clear()
    assert source_digest("molap.stages.head", (long_task,)) != before


@pytest.mark.parametrize("imported", ["from .impl import GAIN", "from lib.impl import GAIN", "from . import impl"])
def test_what_a_helper_s_package_imports_belongs_to_the_digest(tmp_path, imported):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("")
    (tmp_path / "lib" / "signals.py").write_text(imported)
    (tmp_path / "lib" / "impl.py").write_text("GAIN = dict(description=1)")
    (tmp_path / "tasks.py").write_text("from lib.signals import GAIN")
    path, digests = str(tmp_path / "tasks.py"), []
    for gain in (1, 2):
        (tmp_path / "lib" / "impl.py").write_text(f"GAIN = dict(description={gain})")
        source_digest.cache_clear()
        module_digest.cache_clear()
        digests.append(source_digest("molap.stages.head", (path,)))
    assert digests[0] != digests[1]


def test_modules_of_a_package_are_named_as_modules_in_the_digest(tmp_path, monkeypatch):
    """The digest must not depend on where a package lies."""
    (tmp_path / "lab_package").mkdir()
    (tmp_path / "lab_package" / "__init__.py").write_text("from .helper import GAIN")
    (tmp_path / "lab_package" / "helper.py").write_text("GAIN = 1")
    (tmp_path / "lab_package" / "tasks.py").write_text("from lab_package.helper import GAIN")
    monkeypatch.syspath_prepend(tmp_path)
    found = user_sources(("lab_package.tasks",))
    assert found == ["lab_package.tasks", "lab_package", "lab_package.helper"]
    assert source_digest("molap.stages.head", ("lab_package.tasks",))


def test_lengths_are_a_setting_only_where_they_are_unlike(long_task):
    nine = Plan(parse_config({}))
    assert "lengths" not in nine.settings("corpus", "paper")
    values = {"tasks": {"modules": [long_task], "names": ["integrate", "mem_pro"]}, "tune": {"tasks": ["mem_pro"]}}
    values |= {"figures": {"example_task": "mem_pro"}, "generalisation": {"left_out": []}}
    unlike = Plan(parse_config(values))
    assert '"lengths":"pad"' in unlike.settings("corpus", "paper").replace(" ", "")
    criterion = unlike.settings("evaluation", "paper", block="s0", kind="separate", task="integrate")
    assert "long_tasks.py" in criterion
    assert "long_tasks.py" not in unlike.settings("evaluation", "paper", block="s0", kind="separate", task="mem_pro")


def test_a_loss_without_a_mask_is_the_paper_s():
    network = draw_params(0, draw_w_rec(0, 6, 1.2), 2, 2, "x", INIT)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(2, 5, 3, 2)).astype(np.float32)
    plain, masked = (float(loss(network, inputs, targets, 0.0, 0.0, mask=m)[0]) for m in (None, np.ones((5, 1, 1))))
    assert plain == pytest.approx(masked, rel=1e-6)


def test_what_tasks_cannot_share_is_refused_with_the_configuration(tmp_path, long_task):
    """Conditions of one name and unlike shapes, and a diagnosis of a task without pulses, before anything runs."""
    source = (tmp_path / "long_tasks.py").read_text()
    wide = source.replace("integrate", "wide").replace("I1", "W1").replace("(n_trials,)", "(n_trials, 2)")
    wide = wide.replace(
        '"wide", "W1", signals', '"wide", "W1", lambda c, s: signals({"strength": c["strength"][:, 0]}, s)'
    )
    (tmp_path / "wide.py").write_text(wide)
    names = ["mem_pro", "mem_dm1", "integrate"]
    values = {
        "tasks": {"modules": [long_task, str(tmp_path / "wide.py")], "names": names},
        "generalisation": {"left_out": [["mem_dm1"]]},
        "figures": {"example_task": "mem_pro"},
        "tune": {"tasks": ["mem_dm1"]},
    }
    parse_config(values)
    both = values | {"tasks": values["tasks"] | {"names": [*names, "wide"]}}
    with pytest.raises(ConfigError, match=r"corpus.alignment: the condition strength .* in integrate .* in wide;"):
        parse_config(both)
    parse_config(both | {"corpus": {"alignment": "independent"}})
    with pytest.raises(ConfigError, match=r"figures\.plateau_tasks: 'integrate' has no epoch 'pulse1'"):
        parse_config(values | {"figures": {"example_task": "mem_pro", "plateau_tasks": ["integrate"]}})
