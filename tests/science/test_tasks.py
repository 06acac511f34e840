"""The nine tasks against the table of the paper and its released code, their noise and scales."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from trial_reference import DEGREES, KEY, QUIET, conditions_of, expected_trials, task_named

from molap.config.tasks import TASK_NAMES, TrialSettings
from molap.tasks.batch import Trials, draw_trials, raw_trials, rescale
from molap.tasks.trial import Conditions, draw_again, draw_conditions


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


@pytest.mark.parametrize("settings", [{}, {"rescaling": "batch", "noise_onset": 10}, {"rescaling": "none"}])
@pytest.mark.parametrize("name", TASK_NAMES)
def test_trials_are_those_of_single_operations_to_the_bit(name, settings):
    """Of every pair of angles: what one program fuses, it may round otherwise."""
    task, settings = task_named(name), TrialSettings(**settings)
    conditions = conditions_of([(10 * i, 10 * k) for i in range(36) for k in range(36)])
    inputs, targets = task.build(conditions, settings)
    _, key = jax.random.split(KEY)
    on = (jnp.arange(110) >= settings.noise_onset)[:, None, None]
    inputs = inputs + settings.input_noise * on * jax.random.normal(key, inputs.shape)
    expected = rescale(Trials(inputs, targets, conditions), task, settings)
    found = draw_trials(task, KEY, 36**2, settings, conditions)
    for ours, theirs in zip(found[:2], expected[:2], strict=True):
        assert np.asarray(ours).tobytes() == np.asarray(theirs).tobytes()


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
