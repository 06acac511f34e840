"""The nine tasks against the table of the paper and its released code, their noise and scales, the registry."""

import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.config.tasks import TASK_NAMES, TrialSettings
from molap.randomness import named_key
from molap.tasks.__main__ import main
from molap.tasks.batch import draw_trials, raw_trials, rescale
from molap.tasks.registry import load_tasks
from molap.tasks.trial import Conditions, draw_again, draw_conditions

# Inputs shown to the network, and targets, as rows of the table; c1, s1, c2, s2 are cos and sin of θ1 and θ2.
TABLE = {
    "delay_pro": ("cs", 110, lambda c1, s1, c2, s2: (c1, s1)),
    "delay_anti": ("cs", 110, lambda c1, s1, c2, s2: (-c1, -s1)),
    "mem_pro": ("cs", 85, lambda c1, s1, c2, s2: (c1, s1)),
    "mem_anti": ("cs", 85, lambda c1, s1, c2, s2: (-c1, -s1)),
    "mem_dm1": ("c", None, lambda c1, s1, c2, s2: (max(c1, c2),)),
    "mem_dm2": ("s", None, lambda c1, s1, c2, s2: (max(s1, s2),)),
    "context_mem_dm1": ("cs", None, lambda c1, s1, c2, s2: (max(c1, c2),)),
    "context_mem_dm2": ("cs", None, lambda c1, s1, c2, s2: (max(s1, s2),)),
    "multi_mem": ("cs", None, lambda c1, s1, c2, s2: (max(c1 + s1, c2 + s2),)),
}
DEGREES = [(10 * i, 10 * (7 * i + 3) % 360) for i in range(36)] + [(40, 40), (0, 180), (90, 270), (270, 90)]
QUIET = TrialSettings(input_noise=0.0)
KEY = jax.random.key(7)


def task_named(name):
    return load_tasks()[name]


def conditions_of(degrees, ends=None):
    radians = [[math.radians(first), math.radians(second)] for first, second in degrees]
    return Conditions(jnp.array(radians, jnp.float32), jnp.array(ends or [85] * len(degrees)))


def one_trial(name, theta1, theta2, memory_end=85):
    """Inputs and targets of one trial, step by step."""
    shown, end, decide = TABLE[name]
    if name in ("mem_pro", "mem_anti"):
        end = memory_end
    c1, s1, c2, s2 = (f(math.radians(theta)) for theta in (theta1, theta2) for f in (math.cos, math.sin))
    inputs, targets = [], []
    for step in range(110):
        fixation = 1.0 if 10 <= step < 85 else 0.0
        row = [fixation]
        for first, second in {"c": [(c1, c2)], "s": [(s1, s2)], "cs": [(c1, c2), (s1, s2)]}[shown]:
            if end is not None:
                row.append(first if 35 <= step < end else 0.0)
            elif 35 <= step < 45:
                row.append(first)
            elif 65 <= step < 75:
                row.append(second)
            else:
                row.append(0.0)
        inputs.append(row)
        answer = decide(c1, s1, c2, s2)
        targets.append([fixation, *(answer if step >= 85 else [0.0] * len(answer))])
    return inputs, targets


def expected_trials(name, degrees, ends=None):
    ends = ends or [85] * len(degrees)
    trials = [one_trial(name, *pair, end) for pair, end in zip(degrees, ends, strict=True)]
    return tuple(np.stack([np.array(trial[side]) for trial in trials], axis=1) for side in (0, 1))


@pytest.mark.parametrize("name", TASK_NAMES)
def test_signals_follow_the_table(name):
    trials = raw_trials(task_named(name), KEY, conditions_of(DEGREES), QUIET)
    inputs, targets = expected_trials(name, DEGREES)
    np.testing.assert_allclose(trials.inputs, inputs, atol=1e-6)
    np.testing.assert_allclose(trials.targets, targets, atol=1e-6)


@pytest.mark.parametrize("name", TASK_NAMES)
def test_only_the_memory_tasks_follow_the_end_of_their_stimulus(name):
    ends = [45 + i for i in range(36)] + [82, 83, 84, 85]
    trials = raw_trials(task_named(name), KEY, conditions_of(DEGREES, ends), QUIET)
    inputs, targets = expected_trials(name, DEGREES, ends)
    np.testing.assert_allclose(trials.inputs, inputs, atol=1e-6)
    np.testing.assert_allclose(trials.targets, targets, atol=1e-6)


def test_fixed_memory_delay_ends_at_the_go_signal():
    assert set(np.asarray(draw_conditions(KEY, 500, TrialSettings()).memory_end)) == {85}


def test_variable_memory_delay_is_uniform_from_45_to_85():
    ends = np.asarray(draw_conditions(KEY, 41_000, TrialSettings(memory_delay="variable")).memory_end)
    steps, counts = np.unique(ends, return_counts=True)
    assert list(steps) == list(range(45, 86))
    assert np.all(np.abs(counts - 1000) < 5 * math.sqrt(1000))


@pytest.mark.parametrize(("circle", "n_angles"), [("full_circle", 36), ("half_circle", 19)])
def test_angles_are_uniform_multiples_of_ten_degrees(circle, n_angles):
    angles = np.degrees(np.asarray(draw_conditions(KEY, 1000 * n_angles, TrialSettings(angles=circle)).angles))
    np.testing.assert_allclose(angles, np.round(angles / 10) * 10, atol=1e-4)
    for column in angles.T:
        values, counts = np.unique(np.round(column), return_counts=True)
        assert list(values) == [10 * i for i in range(n_angles)]
        assert np.all(np.abs(counts - 1000) < 5 * math.sqrt(1000))
    assert abs(np.corrcoef(angles.T)[0, 1]) < 0.04


def noise_of(settings, name="mem_pro", n_trials=400):
    conditions = draw_conditions(KEY, n_trials, settings)
    noisy = raw_trials(task_named(name), KEY, conditions, settings)
    clean = raw_trials(task_named(name), KEY, conditions, settings, noise=False)
    np.testing.assert_array_equal(noisy.targets, clean.targets)
    return np.asarray(noisy.inputs, np.float64) - np.asarray(clean.inputs)


def test_noise_is_white_and_gaussian_on_every_input_channel():
    sigma = 0.02
    noise = noise_of(TrialSettings(input_noise=sigma))
    samples = noise.reshape(-1, 3)
    n = len(samples)
    assert np.all(np.abs(samples.std(axis=0) / sigma - 1) < 0.02)
    assert np.all(np.abs(samples.mean(axis=0)) < 5 * sigma / math.sqrt(n))
    assert np.all(np.abs(np.mean((samples / sigma) ** 4, axis=0) - 3) < 0.2)
    np.testing.assert_allclose(np.corrcoef(samples.T), np.eye(3), atol=0.03)
    assert abs(np.mean(noise[1:] * noise[:-1])) < 0.03 * sigma**2
    assert abs(np.mean(noise[:, 1:] * noise[:, :-1])) < 0.03 * sigma**2


def test_noise_is_that_of_the_text_by_default():
    settings = TrialSettings()
    assert (settings.input_noise, settings.noise_onset) == (0.002, 0)
    assert noise_of(settings)[0].std() == pytest.approx(0.002, rel=0.1)


def test_noise_starts_at_its_onset():
    noise = noise_of(TrialSettings(input_noise=0.02, noise_onset=10))
    assert np.all(noise[:10] == 0)
    assert np.all(np.abs(noise[10:].std(axis=(1, 2)) / 0.02 - 1) < 0.15)


def test_noise_differs_between_keys():
    conditions = conditions_of(DEGREES)
    first, second = (raw_trials(task_named("mem_pro"), jax.random.key(i), conditions, TrialSettings()) for i in (0, 1))
    assert not np.any(np.isclose(first.inputs[:, :, 0], second.inputs[:, :, 0], rtol=0, atol=1e-9).all(axis=0))


@pytest.mark.parametrize("name", TASK_NAMES)
def test_fixed_rescaling_uses_the_known_bounds(name):
    raw = raw_trials(task_named(name), KEY, conditions_of(DEGREES), QUIET)
    scaled = rescale(raw, task_named(name), QUIET)
    bound = math.sqrt(2) if name == "multi_mem" else 1.0
    np.testing.assert_allclose(scaled.inputs, (np.asarray(raw.inputs) + 1) / 2, atol=1e-6)
    np.testing.assert_allclose(scaled.targets, (np.asarray(raw.targets) + bound) / (2 * bound), atol=1e-6)
    assert scaled.inputs.min() >= 0 and scaled.inputs.max() <= 1
    assert scaled.targets.min() >= 0 and scaled.targets.max() <= 1


@pytest.mark.parametrize("name", ["mem_pro", "mem_dm2", "multi_mem"])
def test_batch_rescaling_spans_all_channels_of_the_batch(name):
    settings = TrialSettings(rescaling="batch")
    raw = raw_trials(task_named(name), KEY, conditions_of(DEGREES), settings)
    scaled = rescale(raw, task_named(name), settings)
    for before, after in ((raw.inputs, scaled.inputs), (raw.targets, scaled.targets)):
        before = np.asarray(before, np.float64)
        np.testing.assert_allclose(after, (before - before.min()) / (before.max() - before.min()), rtol=0, atol=1e-6)
        assert (after.min(), after.max()) == pytest.approx((0, 1), abs=1e-6)


def test_no_rescaling_leaves_the_trials():
    settings = TrialSettings(rescaling="none")
    raw = raw_trials(task_named("multi_mem"), KEY, conditions_of(DEGREES), settings)
    scaled = rescale(raw, task_named("multi_mem"), settings)
    np.testing.assert_array_equal(scaled.inputs, raw.inputs)
    np.testing.assert_array_equal(scaled.targets, raw.targets)


def levels_of_silence(rescaling):
    """Rescaled value of a decision output before the Go signal, in twelve small batches."""
    settings, task = TrialSettings(rescaling=rescaling, input_noise=0.0), task_named("multi_mem")
    return [float(draw_trials(task, jax.random.key(i), 40, settings).targets[0, 0, 1]) for i in range(12)]


def test_level_of_silence_depends_on_the_batch_with_batch_rescaling():
    levels = levels_of_silence("batch")
    assert len(set(levels)) > 3 and max(levels) - min(levels) > 0.005


def test_level_of_silence_is_one_half_with_fixed_rescaling():
    np.testing.assert_allclose(levels_of_silence("fixed"), 0.5, atol=1e-6)


@pytest.mark.parametrize(("rescaling", "same"), [("fixed", True), ("batch", False)])
def test_a_trial_rescaled_in_other_company(rescaling, same):
    settings, task = TrialSettings(rescaling=rescaling, input_noise=0.0), task_named("mem_dm1")
    one, other = (
        rescale(raw_trials(task, KEY, conditions_of(degrees), settings), task, settings)
        for degrees in (DEGREES, [DEGREES[3]] * len(DEGREES))
    )
    assert np.array_equal(one.targets[:, 3], other.targets[:, 3]) == same
    assert np.array_equal(one.inputs[:, 3], other.inputs[:, 3]) == same


@pytest.mark.parametrize("kind", ["delay", "mem"])
def test_anti_targets_are_opposite_to_the_pro_targets(kind):
    pro, anti = (
        raw_trials(task_named(f"{kind}_{name}"), KEY, conditions_of(DEGREES), TrialSettings())
        for name in ("pro", "anti")
    )
    np.testing.assert_array_equal(anti.inputs, pro.inputs)
    np.testing.assert_array_equal(anti.targets[..., 0], pro.targets[..., 0])
    np.testing.assert_array_equal(anti.targets[..., 1:], -pro.targets[..., 1:])
    assert not np.array_equal(anti.targets, pro.targets)


@pytest.mark.parametrize("kind", ["delay", "mem"])
def test_anti_trials_as_released_are_the_pro_trials_bit_for_bit(kind):
    settings = TrialSettings(anti="released")
    pro, anti = (draw_trials(task_named(f"{kind}_{name}"), KEY, 40, settings) for name in ("pro", "anti"))
    assert np.asarray(anti.inputs).tobytes() == np.asarray(pro.inputs).tobytes()
    assert np.asarray(anti.targets).tobytes() == np.asarray(pro.targets).tobytes()


def distinct_conditions(n_trials):
    angles = jnp.linspace(0.1, 3.0, n_trials)
    return Conditions(jnp.stack([angles, angles], axis=1), jnp.arange(n_trials))


def test_resampling_leaves_63_to_65_percent_of_the_trials():
    conditions = distinct_conditions(200)
    shares = []
    for seed in range(20):
        drawn = draw_again(jax.random.key(seed), conditions)
        shares.append(len(np.unique(drawn.angles[:, 0])) / 200)
        assert np.array_equal(drawn.angles, conditions.angles[drawn.memory_end])
    assert 0.63 - 0.015 < np.mean(shares) < 0.65
    assert len(set(shares)) > 1


def test_resampling_is_a_matter_of_the_settings():
    plain, again = (draw_conditions(KEY, 500, TrialSettings(resample=value)).angles for value in (False, True))
    pairs = [len(np.unique(angles, axis=0)) for angles in (plain, again)]
    assert pairs[1] < 0.75 * pairs[0]


def test_without_resampling_all_trials_remain_in_their_order():
    conditions = distinct_conditions(200)
    drawn = raw_trials(task_named("delay_pro"), KEY, conditions, TrialSettings())
    np.testing.assert_array_equal(drawn.conditions.angles, conditions.angles)
    np.testing.assert_allclose(drawn.targets[-1, :, 1], np.cos(conditions.angles[:, 0]), atol=1e-6)


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


TENTH = """
import jax.numpy as jnp

from molap.tasks.registry import Task
from molap.tasks.trial import channels, during, fixation, response


def go_twice(conditions, settings):
    value = jnp.cos(conditions.angles[:, 0])
    return channels(fixation(), during(20, 30) * value), channels(fixation(), response(2 * value))


TASKS = [Task("go_twice", "T10", go_twice, ("fixation", "cue"), ("fixation", "double"), target_bounds=(-2.0, 2.0))]
"""


@pytest.fixture
def tenth(tmp_path):
    path = tmp_path / "more_tasks.py"
    path.write_text(TENTH)
    return str(path)


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


def show(output, *arguments):
    main(["show", *arguments, "--output", str(output)])
    with np.load(output) as file:
        return {name: file[name] for name in file.files}


def test_show_writes_trials_before_rescaling(tmp_path):
    arrays = show(tmp_path / "a.npz", "mem_pro", "--trials", "40", "--seed", "3", "--noise", "0")
    assert arrays["inputs"].shape == arrays["targets"].shape == (110, 40, 3)
    assert arrays["angles"].shape == arrays["angles_degrees"].shape == (40, 2)
    inputs, targets = expected_trials("mem_pro", arrays["angles_degrees"].tolist())
    np.testing.assert_allclose(arrays["inputs"], inputs, atol=1e-6)
    np.testing.assert_allclose(arrays["targets"], targets, atol=1e-6)
    np.testing.assert_allclose(np.radians(arrays["angles_degrees"]), arrays["angles"], atol=1e-5)


def test_show_adds_the_noise_asked_for(tmp_path):
    arrays = show(tmp_path / "a.npz", "mem_dm1", "--trials", "40", "--noise", "0.1")
    inputs, _ = expected_trials("mem_dm1", arrays["angles_degrees"].tolist())
    assert (arrays["inputs"] - inputs).std() == pytest.approx(0.1, rel=0.05)


def test_show_knows_the_users_tasks(tmp_path, tenth):
    arrays = show(tmp_path / "a.npz", "go_twice", "--trials", "40", "--module", tenth)
    assert arrays["targets"].shape == (110, 40, 2)


def test_show_writes_the_same_bytes_for_the_same_seed(tmp_path):
    arguments = ["context_mem_dm1", "--trials", "40", "--seed", "11"]
    show(tmp_path / "here.npz", *arguments)
    command = [sys.executable, "-m", "molap.tasks", "show", *arguments, "--output", str(tmp_path / "there.npz")]
    subprocess.run(command, check=True)
    assert (tmp_path / "here.npz").read_bytes() == (tmp_path / "there.npz").read_bytes()


@pytest.mark.parametrize("seed", [1, 2**32 - 1])
def test_show_draws_other_trials_for_another_seed(tmp_path, seed):
    first, second = (
        show(tmp_path / f"{i}.npz", "mem_pro", "--trials", "40", "--seed", str(value))
        for i, value in enumerate((0, seed))
    )
    assert not np.array_equal(first["angles"], second["angles"])
    assert not np.array_equal(first["inputs"], second["inputs"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["no_task"], "no_task"),
        (["mem_pro", "--trials", "0"], "--trials"),
        (["mem_pro", "--seed", "-1"], "--seed"),
        (["mem_pro", "--seed", str(2**70)], "--seed"),
        (["mem_pro", "--noise", "-0.1"], "noise"),
        (["mem_pro", "--noise", "nan"], "noise"),
        (["mem_pro", "--module", "/nowhere/tasks.py"], "/nowhere/tasks.py"),
    ],
)
def test_show_refuses_an_argument_in_one_line(tmp_path, arguments, named):
    with pytest.raises(SystemExit) as stop:
        show(tmp_path / "a.npz", *arguments)
    assert isinstance(stop.value.code, str) and named in stop.value.code and "\n" not in stop.value.code
    assert list(tmp_path.iterdir()) == []


def test_show_refuses_an_output_that_cannot_be_written(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(SystemExit) as stop:
        main(["show", "mem_pro", "--output", str(tmp_path / "folder")])
    assert "folder" in stop.value.code and "\n" not in stop.value.code


@pytest.mark.parametrize("arguments", [["mem_pro", "--trials", "few"], [], ["mem_pro", "--colour", "red"]])
def test_show_refuses_what_it_cannot_parse(tmp_path, arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        show(tmp_path / "a.npz", *arguments)
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err.splitlines()[-1]


def test_a_refused_argument_ends_the_program_with_one_line(tmp_path):
    command = [sys.executable, "-m", "molap.tasks", "show", "no_task", "--output", str(tmp_path / "a.npz")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert len(ended.stderr.splitlines()) == 1 and "no_task" in ended.stderr


def test_list_names_every_task(capsys):
    main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[f"T{i + 1}", name] for i, name in enumerate(TASK_NAMES)]


def test_named_keys_differ_by_name_order_and_seed():
    keys = [
        named_key(0, "a", 1),
        named_key(0, "a", 2),
        named_key(0, 1, "a"),
        named_key(1, "a", 1),
        named_key(0, "b", 1),
    ]
    assert len({tuple(np.asarray(jax.random.key_data(key))) for key in keys}) == len(keys)
