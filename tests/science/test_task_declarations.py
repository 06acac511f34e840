"""A user's task is compared with what it declares, and refused in one line."""

import dataclasses
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from long_task import LONG, write_long_task
from workflow_helpers import REPOSITORY

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.config.tasks import TrialSettings
from molap.tasks.checks import check_declaration, check_trials
from molap.tasks.corpus import draw_corpus
from molap.tasks.registry import load_tasks
from molap.tasks.task import Task

KEY = jax.random.key(0)
UNUSED = {"figures": {"example_task": "mem_pro"}, "generalisation": {"left_out": []}, "tune": {"tasks": ["mem_pro"]}}
"""Keys that name tasks which the configurations below do not have."""


@pytest.fixture
def long_task(tmp_path):
    return write_long_task(tmp_path)


def on_page(name, tmp_path):
    """The tasks of a module that docs/your-own.md shows."""
    page = (REPOSITORY / "docs" / "your-own.md").read_text(encoding="utf-8")
    (tmp_path / name).write_text(re.search(rf"```python\n# {name}\n(.*?)```", page, re.DOTALL)[1])
    return load_tasks((str(tmp_path / name),))


def test_a_rule_without_a_window_is_checked_on_the_steps_that_the_run_judges(tmp_path, long_task):
    """It looks at the first of the last 60 steps, which a run with a window of 30 does not judge."""
    rule = "decide=lambda y, z: y[99] if len(y) != 60 else (y[:40].mean(0) > 0.7) == (z[:40].mean(0) > 0.7)"
    Path(long_task).write_text(Path(long_task).read_text().replace("window=(125, 150),", f"{rule},"))
    run = {"tasks": {"modules": [long_task], "names": ["integrate", "mem_pro"]}, "evaluation": {"window": 60}}
    parse_config(run | UNUSED)
    with pytest.raises(ConfigError, match="the task 'integrate': decide fails: IndexError: index 99 is out of bounds"):
        parse_config(run | UNUSED | {"evaluation": {"window": 40}})


def test_the_modules_of_the_page_are_tasks(tmp_path):
    assert on_page("late_pro.py", tmp_path)["late_pro"].n_steps == 110
    task = on_page("integrate.py", tmp_path)["integrate"]
    choice = np.array([-1, 1, 1, -1, 1])
    outputs = np.full((25, 5, 2), 0.5)
    outputs[..., 1] += 0.3 * choice
    outputs[:, 3:, 0] = 0.9  # still fixating
    wanted = np.full((25, 5, 2), 0.5)
    wanted[..., 1] += 0.5 * np.array([-1, 1, -1, -1, -1])
    released, right = task.decide(outputs, wanted).T
    assert released.tolist() == [True, True, True, False, False] and right.tolist() == [True, True, False, True, False]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("n_steps=150,", "n_steps=151,", "inputs of shape (150, 2, 2) for two trials; n_steps = 151"),
        ("n_steps=150,", "n_steps=1.5,", "n_steps 1.5; give a whole number from 2"),
        ("n_steps=150,", "n_steps=150, dt=0,", "dt 0; give the duration of a step in ms"),
        ("n_steps=150,", "n_steps=150, dt=20,", "a step is 20 ms in integrate and 10 ms in mem_pro"),
        ("(20, 100)", "(20, 160)", "the epoch 'evidence' (20, 160); give its first step"),
        (
            "(125, 150)",
            "(150, 125)",
            "window (150, 125); give its first step and the step after its last, from 0 to 150",
        ),
        ("draw=draw", "draw=3", "has draw 3; give a function"),
        ("draw=draw", "draw=lambda key, n, s: {'strength': key, 'n': jax.numpy.ones(3)}", "draws n of shape (3,)"),
        ("draw=draw", "draw=lambda key, n, s: 1 / 0", "fails: ZeroDivisionError"),
        ("draw=draw", "draw=draw, mask=lambda c, s: jax.numpy.ones((150, 2))", "a mask of shape (150, 2)"),
        ("draw=draw", "draw=draw, mask=lambda c, s: jax.numpy.zeros((150, 1, 1))", "a mask from 0 to 0"),
        ("draw=draw", "draw=draw, decide=lambda y, z: y.mean(axis=0)", "decide returns float32 of shape (64, 2)"),
        (
            "draw=draw",
            "draw=draw, decide=lambda y, z: y.mean(axis=0) > 2",
            "decide calls the targets themselves wrong on 64",
        ),
        ("draw=draw", "draw=draw, held_out={'tests': draw}", "has held_out {'tests'"),
        ("draw=draw", "draw=draw, held_out={'test': lambda k, n, s: {}}", "test trials: its function fails: KeyError"),
        (
            "draw=draw",
            "draw=lambda k, n, s: {'strength': __import__('numpy').random.rand(n) - 0.5}",
            "for the same key",
        ),
        ("draw=draw", "draw=draw, decide=lambda y, z: 1 / 0", "decide fails: ZeroDivisionError"),
        (
            "window=(125, 150),",
            "decide=lambda y, z: abs(y[100] - z[100]) < 0.1,",
            "decide fails: IndexError: index 100 is out of bounds for axis 0 with size 30",
        ),
        (
            "draw=draw",
            "draw=draw, decide=lambda y, z: jax.numpy.ones((64, 1), bool)",
            "decide calls all outputs right, whether 0, 1 or not finite",
        ),
        (
            "draw=draw",
            "draw=draw, decide=lambda y, z: (y == z).all(0) | (__import__('numpy').random.rand(*y.shape[1:]) > 0.5)",
            "decide answers differently when it is called again with the same trials",
        ),
        (
            "draw=draw",
            "draw=draw, decide=lambda y, z: 1 / int((y == y).all()) and (y == z).all(0)",
            "decide, with outputs that are not finite, fails: ",
        ),
        ("signals,", "lambda c, s: (*signals(c, s), 3),", "its function fails: TypeError: it returns tuple"),
        ("signals,", "lambda c, s: (signals(c, s)[0] > 0, signals(c, s)[1]),", "returns inputs of the type bool"),
        ('"fixation", "evidence")', '"fixation", "rule:mem_pro")', "inputs named 'rule:mem_pro'"),
        ('"I1"', '"$I$"', "'$I$' is not allowed as the label of a task; leave out $"),
        ('"I1"', '"NA"', "'NA' is not allowed as the label of a task; tables or YAML"),
        ('epochs={"evidence": (20, 100), "response": (120, 150)}', "epochs=(1, 5)", "epochs (1, 5); give a dictionary"),
        ("draw=draw", "draw=draw, target_bounds=(-3e38, 3e38)", "target_bounds (-3e+38, 3e+38)"),
        ("draw=draw", "draw=draw, target_bounds=(0, 1)", "returns targets from -1 to 1; its target_bounds are 0 and 1"),
        ("signals,", "lambda c, s: (signals(c, s)[0], 0 * signals(c, s)[1]),", "has targets that never change"),
        ("signals,", "lambda c, s: (signals(c, s)[0] / 0, signals(c, s)[1]),", "inputs that are not finite: "),
        (
            "signals,",
            "lambda c, s: (signals(c, s)[0].swapaxes(0, 1), signals(c, s)[1]),",
            "inputs of shape (2, 150, 2)",
        ),
        ('outputs=("fixation", "choice")', 'outputs=("choice")', "has outputs 'choice'; give the names"),
    ],
)
def test_a_declaration_that_its_functions_do_not_keep_is_refused_in_one_line(long_task, tmp_path, old, new, words):
    assert LONG.count(old) == 1
    path = tmp_path / "wrong_tasks.py"
    path.write_text(LONG.replace(old, new))
    with pytest.raises(ConfigError) as refusal:
        parse_config({"tasks": {"modules": [str(path)], "names": ["integrate", "mem_pro"]}})
    assert words in str(refusal.value) and "\n" not in str(refusal.value).replace("\ngeneralisation", "")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"evaluation": {"window": 111}}, "evaluation.window: 111 is not allowed; a trial of delay_pro has 110 steps"),
        ({"tasks": {"noise_onset": 111}}, "tasks.noise_onset: 111 is not allowed; the longest trial has 110 steps"),
    ],
)
def test_settings_keep_within_the_trials(values, words):
    with pytest.raises(ConfigError, match=words):
        parse_config(values)


@dataclasses.dataclass(frozen=True)
class Declared:
    """What a random declaration says, and what its functions return."""

    n_steps: int
    returned_steps: int
    n_outputs: int
    returned_outputs: int
    scale: float
    window: tuple[int, int] | None


@given(
    st.builds(
        Declared,
        st.integers(2, 6),
        st.integers(2, 6),
        st.integers(1, 2),
        st.integers(1, 2),
        st.sampled_from([0.0, 0.5, 1.0, 3.0, float("nan")]),
        st.none() | st.tuples(st.integers(-1, 7), st.integers(-1, 7)),
    )
)
@settings(max_examples=60)
def test_a_random_task_gives_a_corpus_or_is_refused_in_one_line(declared):
    d = declared

    def build(conditions, s):
        level = jnp.broadcast_to(conditions["level"], (d.returned_steps, *conditions["level"].shape))
        return level[..., None], jnp.stack([d.scale * level] * d.returned_outputs, axis=-1)

    draw = lambda key, n, s: {"level": jax.random.uniform(key, (n,), minval=-1.0)}  # noqa: E731
    outputs = tuple(f"output{i}" for i in range(d.n_outputs))
    task = Task("drawn", "D", build, ("level",), outputs, n_steps=d.n_steps, draw=draw, window=d.window)
    consistent = d.n_steps == d.returned_steps and d.n_outputs == d.returned_outputs and d.scale in (0.5, 1.0)
    within = d.window is None or 0 <= d.window[0] < d.window[1] <= d.n_steps
    try:
        check_declaration(task, "drawn.py")
        check_trials(task, "drawn.py")
    except ConfigError as error:
        assert not (consistent and within) and "\n" not in str(error)
    else:
        assert consistent and within
        corpus = draw_corpus([task], KEY, 5, TrialSettings(), aligned=True)
        assert corpus.targets.shape == (d.n_steps, 5, d.n_outputs) and np.isfinite(corpus.targets).all()
