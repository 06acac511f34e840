"""Canonical variates and principal components of the stacked corpus, against independent references."""

import jax
import numpy as np
import pytest
from corpora import corpus, samples_of
from sklearn.cross_decomposition import CCA

from molap.primitives.fit import fit_cca, fit_pca
from molap.primitives.variates import Primitives, module_variates, primitive_trials


def standardised(samples):
    samples = np.asarray(samples, np.float64)
    scale = samples.std(axis=0)
    return (samples - samples.mean(axis=0)) / np.where(scale > 0, scale, 1)


def variates(side, samples):
    return (np.asarray(samples, np.float64) - side.mean) / side.scale @ side.weights


def explained_by_regression(u, targets):
    """R² of the standardised targets on the first r columns of u, by least squares."""
    y = standardised(targets)
    shares = []
    for r in range(1, u.shape[1] + 1):
        design = np.column_stack([np.ones(len(u)), u[:, :r]])
        fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
        shares.append(1 - np.mean((y - fitted) ** 2) / np.mean(y**2))
    return np.array(shares)


def white_basis(samples):
    """Orthonormal basis of the standardised samples' numerical column space, by their own SVD."""
    left, singular, _ = np.linalg.svd(standardised(samples), full_matrices=False)
    return left[:, singular > 1e-6 * singular[0]]


def reference_cca(inputs, targets):
    """Correlations and unit-variance variates, by the SVD of whitened data."""
    x, y = white_basis(inputs), white_basis(targets)
    left, correlations, right = np.linalg.svd(x.T @ y, full_matrices=False)
    scale = np.sqrt(len(x))
    return correlations, x @ left * scale, y @ right.T * scale


@pytest.fixture(scope="module")
def latent():
    """Full-rank data with the canonical correlations 0.95, 0.8, 0.5, 0.2 and unequal scales and means."""
    rng = np.random.default_rng(3)
    rho = np.array([0.95, 0.8, 0.5, 0.2])
    shared, own_x, own_y = rng.normal(size=(3, 4000, 4))
    x = np.column_stack([shared * np.sqrt(rho) + own_x * np.sqrt(1 - rho), rng.normal(size=(4000, 2))])
    y = shared * np.sqrt(rho) + own_y * np.sqrt(1 - rho)
    mix_x, mix_y = rng.normal(size=(6, 6)), rng.normal(size=(4, 4))
    return x @ mix_x * np.array([1, 5, 0.1, 2, 1, 30]) + 7, y @ mix_y * np.array([1, 0.01, 3, 1]) - 2


def test_reference_finds_the_correlations_that_were_put_in(latent):
    np.testing.assert_allclose(reference_cca(*latent)[0], [0.95, 0.8, 0.5, 0.2], atol=0.05)


def test_cca_equals_the_reference_on_full_rank_data(latent):
    fitted = fit_cca(*latent)
    correlations, u, v = reference_cca(*latent)
    np.testing.assert_allclose(fitted.correlations, correlations, atol=1e-10)
    for side, samples, expected in ((fitted.inputs, latent[0], u), (fitted.targets, latent[1], v)):
        found = variates(side, samples)
        signs = np.sign(np.sum(found * expected, axis=0))
        np.testing.assert_allclose(found * signs, expected, atol=1e-7)


def test_correlations_equal_those_of_a_qr_decomposition(latent):
    x, y = (np.linalg.qr(standardised(samples))[0] for samples in latent)
    np.testing.assert_allclose(fit_cca(*latent).correlations, np.linalg.svd(x.T @ y, compute_uv=False), atol=1e-10)


def test_cca_equals_that_of_scikit_learn_on_full_rank_data(latent):
    fitted = fit_cca(*latent)
    scores = CCA(n_components=4, max_iter=10_000, tol=1e-14).fit(*latent).transform(*latent)
    for side, samples, expected in zip(fitted[:2], latent, scores, strict=True):
        found = variates(side, samples)
        match = [abs(np.corrcoef(a, b)[0, 1]) for a, b in zip(found.T, expected.T, strict=True)]
        np.testing.assert_allclose(match, 1, atol=1e-6)
    theirs = [np.corrcoef(a, b)[0, 1] for a, b in zip(scores[0].T, scores[1].T, strict=True)]
    np.testing.assert_allclose(fitted.correlations, theirs, atol=1e-6)


def test_cca_equals_the_reference_on_the_rank_deficient_corpus(aligned, aligned_cca):
    inputs, targets = samples_of(aligned)
    correlations, u, v = reference_cca(inputs, targets)
    assert len(correlations) == len(aligned_cca.correlations) == 6
    np.testing.assert_allclose(aligned_cca.correlations, correlations, atol=1e-6)
    for side, samples, expected in ((aligned_cca.inputs, inputs, u), (aligned_cca.targets, targets, v)):
        found = variates(side, samples)[:, :3]
        match = [abs(np.mean(a * b)) for a, b in zip(found.T, expected[:, :3].T, strict=True)]
        np.testing.assert_allclose(match, 1, atol=1e-6)


def check_variates(fitted, inputs, targets):
    """Finite, of unit variance and mean 0, uncorrelated within a side, correlated as stated between sides."""
    u, v = variates(fitted.inputs, inputs), variates(fitted.targets, targets)
    n = len(fitted.correlations)
    for side, values in ((fitted.inputs, u), (fitted.targets, v)):
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(values.T @ values / len(values), np.eye(n), atol=1e-5)
        np.testing.assert_allclose(side.low, values.min(axis=0), atol=1e-6)
        np.testing.assert_allclose(side.high, values.max(axis=0), atol=1e-6)
    np.testing.assert_allclose(u.T @ v / len(u), np.diag(fitted.correlations), atol=1e-5)
    assert np.all(np.diff(fitted.correlations) <= 1e-12)
    assert np.all(fitted.correlations <= 1 + 1e-12) and np.all(fitted.correlations >= 0)
    np.testing.assert_allclose(fitted.target_r2, explained_by_regression(u, targets), atol=1e-6)


def test_variates_of_full_rank_data(latent):
    check_variates(fit_cca(*latent), *latent)


@pytest.mark.parametrize("changes", [{}, {"input_noise": 0.0}, {"rescaling": "none"}])
def test_variates_of_the_rank_deficient_corpus(changes):
    inputs, targets = samples_of(corpus(**changes))
    fitted = fit_cca(inputs, targets)
    assert len(fitted.correlations) == fitted.inputs.weights.shape[1] == fitted.targets.weights.shape[1] == 6
    check_variates(fitted, inputs, targets)


def test_aligned_corpus_has_three_strong_components(aligned_cca):
    assert np.all(aligned_cca.correlations[:3] > 0.998)
    assert np.all(aligned_cca.correlations[3:] < 0.1)


def test_independent_corpus_has_one_strong_component(independent):
    fitted = fit_cca(*samples_of(independent))
    assert fitted.correlations[0] > 0.999
    assert np.all((fitted.correlations[1:5] > 0.5) & (fitted.correlations[1:5] < 0.7))
    assert np.all(fitted.correlations[5:] < 0.1)


def test_explained_variance_of_the_aligned_corpus(aligned_cca):
    np.testing.assert_allclose(aligned_cca.target_r2[:3], [0.45, 0.67, 0.88], atol=0.03)


def test_explained_variance_of_the_independent_corpus(independent):
    np.testing.assert_allclose(fit_cca(*samples_of(independent)).target_r2[:3], [0.45, 0.47, 0.49], atol=0.03)


def test_first_component_is_the_fixation(aligned, aligned_cca):
    fixation = np.asarray(aligned.targets[:, 0, 0])
    variate = primitive_trials(module_variates(aligned_cca, 0), aligned)[1][:, 0, 0]
    assert abs(np.corrcoef(fixation, variate)[0, 1]) > 0.999


@pytest.mark.parametrize("fit", [fit_cca, fit_pca, lambda x, y: fit_pca(x, y, joint=True)])
def test_largest_target_weight_is_positive(fit, latent):
    rng = np.random.default_rng(0)
    for _ in range(4):
        signs = rng.choice([-1.0, 1.0], size=4)
        weights = fit(latent[0], latent[1] * signs).targets.weights
        largest = np.abs(weights).argmax(axis=0)
        assert np.all(weights[largest, np.arange(weights.shape[1])] > 0)


def test_negating_an_input_negates_its_weights_alone(latent):
    flip = np.array([1, -1, 1, 1, -1, 1])
    plain, flipped = fit_cca(*latent), fit_cca(latent[0] * flip, latent[1])
    np.testing.assert_allclose(flipped.inputs.weights, plain.inputs.weights * flip[:, None], atol=1e-9)
    np.testing.assert_allclose(flipped.targets.weights, plain.targets.weights, atol=1e-9)


def test_signs_do_not_hang_on_rounding(aligned, aligned_cca):
    """The targets of T1 and T2 are opposite, so that several weights of a component are equally large.

    The samples are in single precision, which shakes them by 1e-7.
    """
    inputs, targets = samples_of(aligned)
    rng = np.random.default_rng(0)
    plain = variates(aligned_cca.targets, targets)[:, :3]
    for _ in range(6):
        shaken = targets + 1e-7 * rng.normal(size=targets.shape)
        again = variates(fit_cca(inputs, shaken).targets, shaken)[:, :3]
        np.testing.assert_allclose(np.mean(plain * again, axis=0), 1, atol=1e-4)


def principal_axes(samples, n):
    variance, axes = np.linalg.eigh(standardised(samples).T @ standardised(samples) / len(samples))
    return axes[:, ::-1][:, :n], variance[::-1][:n]


def test_separate_pca_equals_eigh_of_the_correlation_matrices(latent):
    fitted = fit_pca(*latent)
    for side, samples in zip(fitted[:2], latent, strict=True):
        axes, variance = principal_axes(samples, 4)
        signs = np.sign(np.sum(axes * side.weights, axis=0))
        np.testing.assert_allclose(side.weights * signs, axes, atol=1e-8)
        values = variates(side, samples)
        np.testing.assert_allclose(values.var(axis=0), variance, rtol=1e-9)
        np.testing.assert_allclose((side.low, side.high), (values.min(axis=0), values.max(axis=0)), atol=1e-9)
    u, v = (variates(side, samples) for side, samples in zip(fitted[:2], latent, strict=True))
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(u.T, v.T, strict=True)]
    np.testing.assert_allclose(fitted.correlations, expected, atol=1e-9)
    np.testing.assert_allclose(fitted.target_r2, explained_by_regression(u, latent[1]), atol=1e-9)


def test_separate_pca_of_the_rank_deficient_corpus(aligned):
    inputs, targets = samples_of(aligned)
    fitted = fit_pca(inputs, targets)
    assert len(fitted.correlations) == 6
    variance = variates(fitted.targets, targets).var(axis=0)
    np.testing.assert_allclose(variance, principal_axes(targets, 6)[1], rtol=1e-6)
    assert variance.sum() == pytest.approx(22, rel=1e-6)
    np.testing.assert_allclose(
        fitted.target_r2, explained_by_regression(variates(fitted.inputs, inputs), targets), atol=1e-6
    )


def test_joint_pca_gives_one_signal_as_input_and_target(latent):
    fitted = fit_pca(*latent, joint=True)
    assert fitted.inputs.weights.shape == fitted.targets.weights.shape == (10, 10)
    both = np.concatenate(latent, axis=1)
    axes, _ = principal_axes(both, 10)
    np.testing.assert_allclose(np.abs(np.sum(axes * fitted.inputs.weights, axis=0)), 1, atol=1e-9)
    np.testing.assert_array_equal(fitted.correlations, 1)
    u = variates(fitted.inputs, both)
    np.testing.assert_allclose(fitted.target_r2, explained_by_regression(u, latent[1]), atol=1e-9)


@pytest.mark.parametrize("fit", [fit_cca, fit_pca])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_refused(fit, side, value, latent):
    sides = [samples.copy() for samples in latent]
    sides[side][17, 2] = value
    with pytest.raises(ValueError, match="not finite"):
        fit(*sides)


@pytest.mark.parametrize("fit", [fit_cca, fit_pca])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1])
def test_a_side_without_variance_is_refused(fit, side, constant, latent):
    """The mean of many 0.1 differs from 0.1 by a rounding error, which is no variance."""
    sides = list(latent)
    sides[side] = np.full((4000, 3), constant)
    with pytest.raises(ValueError, match="no variance"):
        fit(*sides)


@pytest.mark.parametrize("constant", [0.0, 0.1])
def test_a_constant_channel_changes_nothing(latent, constant):
    x, y = latent
    plain = fit_cca(x, y)
    more = fit_cca(np.column_stack([x, np.full(len(x), constant)]), y)
    np.testing.assert_allclose(more.correlations, plain.correlations, atol=1e-9)
    np.testing.assert_allclose(more.inputs.weights[:-1], plain.inputs.weights, atol=1e-7)
    np.testing.assert_allclose(more.inputs.weights[-1], 0, atol=1e-7)


def test_flat_and_back(latent):
    fitted = fit_cca(*latent)
    flat = fitted.flat()
    assert len(flat) == 12 and all(isinstance(values, np.ndarray) for values in flat.values())
    back = Primitives.from_flat(dict(reversed(flat.items())))
    assert isinstance(back, Primitives)
    for a, b in zip(jax.tree.leaves(back), jax.tree.leaves(fitted), strict=True):
        np.testing.assert_array_equal(a, b)
    assert back._fields == fitted._fields and back.inputs._fields == fitted.inputs._fields
