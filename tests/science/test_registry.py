"""The registry of tasks, and a user's own tasks."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tenth_task import TENTH
from trial_reference import KEY, task_named

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.config.tasks import TASK_NAMES, TrialSettings
from molap.jobs.digests import source_digest
from molap.randomness import named_key
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.tasks.trial import draw_conditions

SETTINGS = TrialSettings(rescaling="none")


def test_static_names_are_those_of_the_registry():
    assert tuple(load_tasks()) == TASK_NAMES
    assert [task.name for task in load_tasks().values()] == list(TASK_NAMES)
    assert [task.label for task in load_tasks().values()] == [f"T{i}" for i in range(1, 10)]


def check_task(task, settings):
    """What every task of a registry has to keep to."""
    conditions = draw_conditions(KEY, 40, settings)
    inputs, targets = task.build(conditions, settings)
    assert inputs.shape == (110, 40, len(task.inputs)) and inputs.dtype == jnp.float32
    assert targets.shape == (110, 40, len(task.outputs)) and targets.dtype == jnp.float32
    assert task.inputs[0] == task.outputs[0] == "fixation"
    assert len(set(task.inputs)) == len(task.inputs) and len(set(task.outputs)) == len(task.outputs)
    for values, (low, high) in ((inputs, task.input_bounds), (targets, task.target_bounds)):
        assert low <= values.min() and values.max() <= high
    batch = draw_trials(task, KEY, 40, settings)
    assert batch.inputs.shape == inputs.shape and batch.targets.shape == targets.shape
    assert np.isfinite(batch.inputs).all() and np.isfinite(batch.targets).all()
    assert batch.targets.min() >= 0 and batch.targets.max() <= 1
    again = draw_trials(task, KEY, 40, settings)
    assert np.asarray(again.inputs).tobytes() == np.asarray(batch.inputs).tobytes()


@pytest.mark.parametrize("name", TASK_NAMES)
@pytest.mark.parametrize("changes", [{}, {"angles": "half_circle", "memory_delay": "variable"}])
def test_registry_smoke(name, changes):
    check_task(task_named(name), TrialSettings(**changes))


@pytest.fixture
def tenth(tmp_path):
    path = tmp_path / "more_tasks.py"
    path.write_text(TENTH)
    return str(path)


def changed_task(tmp_path, old, new):
    path = tmp_path / "changed_tasks.py"
    assert old in TENTH
    path.write_text(TENTH.replace(old, new))
    return str(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '("fixation", "cue")',
            '("fixation", "cue", "third")',
            "returns inputs of shape (110, 2, 2) for two trials; n_steps = 110 and its",
        ),
        (
            '("fixation", "double")',
            '("fixation",)',
            "returns targets of shape (110, 2, 2) for two trials; n_steps = 110 and its channels",
        ),
        ("return channels", "raise ValueError('no\\nreason')\n    return channels", "fails: ValueError: no reason"),
        ("return channels", "return None\n    return channels", "fails: TypeError: "),
        (", go_twice, (", ", 3, (", "has build 3; give a function"),
        ('"go_twice"', '"all"', "'all' is not allowed as the name of a task; it has another meaning"),
        ('"go_twice"', '"null"', "'null' is not allowed as the name of a task; tables or YAML read it"),
        ('"go_twice"', '"copy"', "'copy' is not allowed as the name of a task; it has another meaning"),
        ('"go_twice"', '"size_mb"', "'size_mb' is not allowed as the name of a task; it has another meaning"),
        ('("fixation", "cue")', "2", "has inputs 2; give the names of its channels, each once"),
        (
            '("fixation", "cue")',
            '("cue", "cue")',
            "has inputs ('cue', 'cue'); give the names of its channels, each once",
        ),
        ("(-2.0, 2.0)", "(2.0, 2.0)", "has target_bounds (2.0, 2.0); give the lowest and the highest value"),
        ("return channels", "raise SystemExit(0)\n    return channels", "fails: SystemExit: 0"),
        ('"T10"', '" T1"', "' T1' is not allowed as the label of a task; leave out"),
        (
            '"go_twice"',
            '"checkpoints_mem_pro"',
            "'checkpoints_mem_pro' is not allowed as the name",
        ),
        ('"go_twice"', "None", "None is not allowed as the name of a task; text is needed"),
        ('"T10"', '"007"', "'007' is not allowed as the label of a task; tables or YAML read it as a number"),
        (
            '"T10"',
            '"True"',
            "'True' is not allowed as the label of a task; tables or YAML read it as",
        ),
        ('"T10"', '"<script>"', "'<script>' is not allowed as the label of a task; leave out"),
        ('"go_twice"', '"no"', "'no' is not allowed as the name of a task; tables or YAML read it"),
        ('"go_twice"', f'"{"a" * 65}"', "is not allowed as the name of a task; it has 65 characters, 64 are allowed"),
        ('"T10"', "10", "10 is not allowed as the label of a task; text is needed"),
        ("import jax.numpy as jnp", "import sys; sys.exit()", "cannot be imported: SystemExit"),
    ],
)
def test_a_task_that_cannot_be_trained_is_refused_in_one_line(tmp_path, old, new, words):
    with pytest.raises(ConfigError) as refusal:
        load_tasks((changed_task(tmp_path, old, new),))
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


def test_an_edited_module_is_read_again(tenth):
    def target():
        return float(draw_trials(load_tasks((tenth,))["go_twice"], KEY, 5, SETTINGS, noise=False).targets[-1, 0, 1])

    (before, digest), text = (target(), source_digest("molap.stages.head", (tenth,))), Path(tenth).read_text()
    Path(tenth).write_text(text.replace("response(2 * value)", "response(-2.0 * value)"))
    assert target() == pytest.approx(-before, rel=1e-6) and before != 0
    assert source_digest("molap.stages.head", (tenth,)) != digest


CALLABLES = """
from typing import NamedTuple

from molap.tasks import delay
from molap.tasks.registry import DIRECTION, Task


class Pro(NamedTuple):
    gain: float = 1.0

    def __call__(self, conditions, settings):
        return delay.delay_pro(conditions, settings)


class Anti(NamedTuple):
    gain: float = 1.0

    def __call__(self, conditions, settings):
        return delay.delay_anti(conditions, settings)


TASKS = [Task("pro", "T10", Pro(), DIRECTION, DIRECTION), Task("anti", "T11", Anti(), DIRECTION, DIRECTION)]
"""


def test_callable_objects_that_are_equal_are_told_apart(tmp_path):
    (tmp_path / "callables.py").write_text(CALLABLES)
    tasks = load_tasks((str(tmp_path / "callables.py"),))
    for name, built_in in (("pro", "delay_pro"), ("anti", "delay_anti")):
        own, expected = (draw_trials(task, KEY, 20, SETTINGS).targets for task in (tasks[name], tasks[built_in]))
        np.testing.assert_array_equal(own, expected)


def test_a_users_module_joins_the_registry(tenth):
    tasks = load_tasks((tenth,))
    assert tuple(tasks) == (*TASK_NAMES, "go_twice")
    check_task(tasks["go_twice"], TrialSettings(modules=(tenth,)))
    assert tuple(load_tasks()) == TASK_NAMES


def test_a_configuration_may_name_the_users_task(tenth):
    names = ["mem_dm1", "context_mem_dm1", "go_twice"]
    values = {"tasks": {"modules": [tenth], "names": names}, "tune": {"tasks": ["mem_dm1"]}}
    assert parse_config(values).tasks.names == tuple(names)
    with pytest.raises(ConfigError, match="go_twice"):
        parse_config({"tasks": {"names": names}})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TASK = []\n", "TASKS"),
        (TENTH.replace('"go_twice"', '"mem_pro"'), "'mem_pro'.*taken"),
        ("TASKS = [\n", "cannot be imported"),
        ("import no_such_module_anywhere\n", "cannot be imported"),
        ("TASKS = 1 / 0\n", "cannot be imported"),
    ],
)
def test_a_users_module_is_refused(tmp_path, text, message):
    path = tmp_path / "bad_tasks.py"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_tasks((str(path),))
    assert "bad_tasks.py" in str(error.value)


@pytest.mark.parametrize("module", ["/nowhere/tasks.py", "no_such_package.tasks", "", ".relative"])
def test_a_missing_module_is_refused(module):
    with pytest.raises(ConfigError, match="cannot be imported"):
        load_tasks((module,))


def test_a_users_module_may_define_a_dataclass(tmp_path):
    """Dataclasses with postponed annotations look their module up by name."""
    path = tmp_path / "with_dataclass.py"
    text = "from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\nclass Timing:\n"
    path.write_text(text + "    go: int = 85\n" + TENTH)
    assert "go_twice" in load_tasks((str(path),))


def test_named_keys_differ_by_name_order_and_seed():
    keys = [
        named_key(0, "a", 1),
        named_key(0, "a", 2),
        named_key(0, 1, "a"),
        named_key(1, "a", 1),
        named_key(0, "b", 1),
    ]
    assert len({tuple(np.asarray(jax.random.key_data(key))) for key in keys}) == len(keys)
