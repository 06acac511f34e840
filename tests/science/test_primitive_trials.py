"""Inputs and targets of the modules: projections of the corpus, and their noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from corpora import KEY, N_TRIALS, corpus, samples_of, tasks_named

from molap.config.tasks import TrialSettings
from molap.primitives.fit import fit_cca, fit_pca
from molap.primitives.variates import draw_primitive_trials, module_variates, primitive_trials
from molap.tasks.corpus import CorpusBatch, draw_corpus


@pytest.fixture(scope="module")
def aligned():
    return corpus()


@pytest.fixture(scope="module")
def aligned_cca(aligned):
    return fit_cca(*samples_of(aligned))


@pytest.mark.parametrize("component", [0, 2])
def test_joint_primitive_trials_are_the_same_signal(aligned, component):
    fitted = fit_pca(*samples_of(aligned), joint=True)
    inputs, targets = primitive_trials(module_variates(fitted, component), aligned, joint=True)
    np.testing.assert_array_equal(inputs, targets)
    both = np.concatenate(samples_of(aligned), axis=1)
    expected = projected(fitted.inputs, both, component)
    np.testing.assert_allclose(np.asarray(inputs).ravel(), expected, atol=1e-5)


def projected(side, samples, component):
    """One component rescaled to its range, channel by channel, in double precision."""
    total = np.zeros(len(samples))
    for channel in range(samples.shape[1]):
        z = (samples[:, channel].astype(np.float64) - side.mean[channel]) / side.scale[channel]
        total += z * side.weights[channel, component]
    return (total - side.low[component]) / (side.high[component] - side.low[component])


@pytest.mark.parametrize("component", range(6))
def test_primitive_trials_are_the_rescaled_projection(aligned, aligned_cca, component):
    found = primitive_trials(module_variates(aligned_cca, component), aligned)
    for values, side, samples in zip(found, aligned_cca[:2], samples_of(aligned), strict=True):
        assert values.shape == (110, N_TRIALS, 1) and values.dtype == jnp.float32
        np.testing.assert_allclose(np.asarray(values).ravel(), projected(side, samples, component), atol=1e-4)
        np.testing.assert_allclose((values.min(), values.max()), (0, 1), atol=1e-4)


def test_primitive_trials_of_a_fresh_batch_keep_the_scale_of_the_corpus(aligned_cca):
    fresh = draw_corpus(tasks_named(), jax.random.key(99), N_TRIALS, TrialSettings(), True)
    for values, side, samples in zip(
        primitive_trials(module_variates(aligned_cca, 1), fresh), aligned_cca[:2], samples_of(fresh), strict=True
    ):
        np.testing.assert_allclose(np.asarray(values).ravel(), projected(side, samples, 1), atol=1e-5)
        assert (values.min(), values.max()) != (0, 1)
        assert values.min() > -0.1 and values.max() < 1.1


def with_and_without_noise(fitted, component=0, joint=False, n_trials=400, **changes):
    """A module's input and target, and what noise adds to them."""
    pair, settings = module_variates(fitted, component), TrialSettings(input_noise=0.05, **changes)
    key, names = jax.random.key(3), tasks_named()
    found = draw_primitive_trials(pair, names, key, n_trials, settings, True, joint)
    quiet = primitive_trials(pair, draw_corpus(names, key, n_trials, settings, True, noise=False), joint)
    return [np.asarray(noisy - clean)[..., 0] for noisy, clean in zip(found, quiet, strict=True)]


@pytest.mark.parametrize("component", [0, 3])
@pytest.mark.parametrize("rescaling", ["fixed", "none"])
def test_noise_of_a_variate_is_distributed_as_that_of_its_channels(aligned_cca, component, rescaling):
    """Mean, variance and independence, against noise drawn channel by channel and then projected."""
    noise, of_targets = with_and_without_noise(aligned_cca, component, rescaling=rescaling)
    assert not of_targets.any()
    pair, settings = module_variates(aligned_cca, component), TrialSettings(input_noise=0.05, rescaling=rescaling)
    noisy, clean = (draw_corpus(tasks_named(), KEY, 400, settings, True, noise=drawn) for drawn in (True, False))
    projected_noise = np.asarray(noisy.inputs - clean.inputs, np.float64) @ pair[0].weights
    assert noise.std() == pytest.approx(projected_noise.std(), rel=4 / np.sqrt(noise.size))
    scale = 0.05 / (2 if rescaling == "fixed" else 1)  # inputs lie in [−1, 1] before rescaling
    assert noise.std() == pytest.approx(scale * np.linalg.norm(pair[0].weights), rel=4 / np.sqrt(2 * noise.size))
    assert abs(noise.mean()) < 4 * noise.std() / np.sqrt(noise.size)
    for one, other in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(one.size)
    assert abs((noise / noise.std()) ** 4).mean() == pytest.approx(3, abs=0.2)


def test_noise_of_a_variate_begins_at_its_onset(aligned_cca):
    noise, _ = with_and_without_noise(aligned_cca, noise_onset=10)
    assert not noise[:10].any() and np.all(noise[10:].std(axis=1) > 0)


def test_noise_of_a_joint_component_is_the_same_on_input_and_target(aligned):
    fitted = fit_pca(*samples_of(aligned), joint=True)
    noise, of_targets = with_and_without_noise(fitted, joint=True)
    np.testing.assert_allclose(noise, of_targets, atol=1e-6)
    n_inputs = aligned.inputs.shape[-1]
    expected = 0.025 * np.linalg.norm(module_variates(fitted, 0)[0].weights[:n_inputs])
    assert noise.std() == pytest.approx(expected, rel=0.02)


def test_noise_that_sets_the_scale_is_drawn_channel_by_channel(aligned_cca):
    settings, pair = TrialSettings(rescaling="batch"), module_variates(aligned_cca, 0)
    found = draw_primitive_trials(pair, tasks_named(), KEY, 20, settings, True)
    expected = primitive_trials(pair, draw_corpus(tasks_named(), KEY, 20, settings, True))
    for values, others in zip(found, expected, strict=True):
        np.testing.assert_array_equal(values, others)


def test_primitive_trials_can_be_compiled(aligned, aligned_cca):
    compiled = jax.jit(lambda batch: primitive_trials(module_variates(aligned_cca, 1), CorpusBatch(*batch)))(aligned)
    for a, b in zip(compiled, primitive_trials(module_variates(aligned_cca, 1), aligned), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
