"""CCA and PCA as scikit-learn estimators: its own checks, the workflow's fits, ranks, inverses and names."""

import numpy as np
import pandas as pd
import pytest
import sklearn.cross_decomposition
import sklearn.decomposition
from corpora import corpus, samples_of
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import molap.primitives
from molap.primitives import CCA, PCA
from molap.primitives.fit import fit_cca, fit_pca

NOT_EXPECTED: dict[str, str] = {}
"""Checks of scikit-learn's that do not apply, with reasons: there are none."""


@parametrize_with_checks(
    [PCA(), CCA(), PCA(n_components=1), CCA(n_components=1)], expected_failed_checks=lambda _: NOT_EXPECTED
)
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def aligned():
    return samples_of(corpus())


@pytest.fixture(scope="module")
def full():
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(500, 3))
    x = shared @ rng.normal(size=(3, 5)) + rng.normal(size=(500, 5)) + 3
    return x, shared @ rng.normal(size=(3, 4)) + 0.5 * rng.normal(size=(500, 4))


def test_they_are_loaded_when_they_are_used():
    assert {"CCA", "PCA"} <= {*dir(molap.primitives)}
    with pytest.raises(AttributeError, match="no attribute 'ICA'"):
        _ = molap.primitives.ICA


def test_cca_is_the_workflow_s_fit(aligned):
    found, expected = CCA().fit(*aligned), fit_cca(*aligned)
    assert found.n_components_ == len(expected.correlations) == 6 < aligned[1].shape[1]
    np.testing.assert_array_equal(found.correlations_, expected.correlations)
    np.testing.assert_array_equal(found.x_weights_, expected.inputs.weights)
    u, v = found.transform(*aligned)
    np.testing.assert_allclose((u * v).mean(axis=0), expected.correlations, atol=1e-9)
    np.testing.assert_allclose([u.min(axis=0), v.max(axis=0)], [expected.inputs.low, expected.targets.high], atol=1e-9)


def test_pca_is_each_side_of_the_workflow_s_control(aligned):
    expected = fit_pca(*aligned)
    for samples, side in zip(aligned, (expected.inputs, expected.targets), strict=True):
        n = side.weights.shape[1]
        np.testing.assert_array_equal(PCA(n_components=n).fit(samples).components_.T, side.weights)


def test_components_equal_those_of_scikit_learn_on_z_scored_data_of_full_rank(full):
    x, y = full
    found = PCA().fit(x)
    reference = make_pipeline(StandardScaler(), sklearn.decomposition.PCA()).fit(x)
    signs = np.sign(np.sum(found.components_ * reference[-1].components_, axis=1))
    np.testing.assert_allclose(found.transform(x) * signs, reference.transform(x), atol=1e-9)
    np.testing.assert_allclose(found.explained_variance_ratio_, reference[-1].explained_variance_ratio_)
    theirs = sklearn.cross_decomposition.CCA(n_components=1, tol=1e-12, max_iter=10_000).fit(x, y)
    (u, _), (other, _) = CCA(n_components=1).fit_transform(x, y), theirs.transform(x, y)
    assert abs(np.corrcoef(u[:, 0], other[:, 0])[0, 1]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("repeated", [False, True])
def test_inverses_are_exact_where_no_component_is_dropped(full, repeated):
    x, y = full
    if repeated:  # copies, a sum, and a channel that does not vary: the rank stays 5 and 4
        x, y = np.column_stack([x, x[:, :2], x.sum(axis=1), np.full(500, 7.0)]), np.column_stack([y, y[:, 0]])
    model = PCA().fit(x)
    assert model.n_components_ == 5
    np.testing.assert_allclose(model.inverse_transform(model.transform(x)), x, atol=1e-9)
    both = CCA().fit(x, y)
    assert both.n_components_ == 4  # as many as y has, fewer than x
    again_x, again_y = both.inverse_transform(*both.transform(x, y))
    np.testing.assert_allclose(again_y, y, atol=1e-9)
    np.testing.assert_array_equal(again_x, both.inverse_transform(both.transform(x)))
    z, u = (x - x.mean(0)) / x.std(0), both.transform(x)
    z[:, x.std(0) == 0] = 0
    nearest = u @ np.linalg.lstsq(u, z, rcond=None)[0] * x.std(0) + x.mean(0)
    np.testing.assert_allclose(again_x, nearest, atol=1e-9)


@pytest.mark.parametrize("n", [0, 6, -1, 1.5, True, "2"])
@pytest.mark.parametrize("model", [PCA, CCA])
def test_more_components_than_the_rank_are_refused_in_one_line(full, model, n):
    rank = 5 if model is PCA else 4
    with pytest.raises(
        ValueError, match=f"n_components: {n!r} is not allowed; 1 to {rank}, the rank of the data, or None"
    ):
        model(n_components=n).fit(*full)


def test_a_side_without_variance_and_holes_are_refused(full):
    for model in (PCA(), CCA()):
        with pytest.raises(ValueError, match="samples have no variance"):
            model.fit(np.ones((20, 3)), full[1][:20])
        with pytest.raises(ValueError, match="contains NaN"):
            model.fit(np.where(np.eye(20, 3), np.nan, 1.0), full[1][:20])
    with pytest.raises(ValueError, match="requires y to be passed"):
        CCA().fit(full[0], None)


def test_names_and_frames(full):
    frame = pd.DataFrame(full[0], columns=list("abcde"))
    model = CCA(n_components=2).set_output(transform="pandas").fit(frame, full[1])
    assert list(model.get_feature_names_out()) == ["cca0", "cca1"] and list(model.feature_names_in_) == list("abcde")
    assert list(model.transform(frame).columns) == ["cca0", "cca1"]
    assert list(make_pipeline(PCA(2), PCA()).fit(frame).get_feature_names_out()) == ["pca0", "pca1"]


def test_a_single_channel_whose_squares_are_no_numbers_is_refused(full):
    x, *_ = full
    with pytest.raises(ValueError, match=r"samples of size \de-\d+ are not allowed; rescale them"):
        PCA().fit(x * np.array([1e-163] + [1.0] * (x.shape[1] - 1)))


@pytest.mark.parametrize("size", [1e200, 1e-200])
@pytest.mark.parametrize("model", [PCA, CCA])
def test_samples_whose_squares_are_no_numbers_are_refused(full, model, size):
    x, *y = full
    with pytest.raises(ValueError, match=r"samples of size \de[+-]\d+ are not allowed; rescale them"):
        model().fit(x * size, *y)
