"""CCA and PCA as the workflow fits them, as scikit-learn estimators.

Both z-score their channels, drop channels that do not vary, and reduce the data to their numerical rank, so that exact
copies of channels do no harm. Source: section 3.3 and Eq. 2, A.2.2.
"""

import numbers
from typing import Any, cast

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from molap.primitives.fit import Samples, fit_cca, principal, z_score
from molap.primitives.variates import Primitives

Matrix = Float[np.ndarray, "sample _"]


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal components of z-scored channels, largest variance first.

    Args:
        n_components: how many to keep, a whole number; None: as many as the numerical rank.

    Attributes:
        components_: principal axes (component, channel); the largest weight of each is positive.
        explained_variance_: variance of the z-scored channels, by component.
        explained_variance_ratio_: the same as a share of the whole variance.
        mean_: mean of each channel.
        scale_: its standard deviation; infinite if the channel does not vary.
        n_components_: number of components.
    """

    def __init__(self, n_components: Any = None) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any = None) -> "PCA":
        """Fit samples × channels.

        Raises:
            ValueError: if a value is not finite, no channel varies, or `n_components` exceeds the rank.
        """
        samples = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        found = principal(z_score(samples))
        self.n_components_ = _checked(self.n_components, found.weights.shape[1])
        variance = found.components().var(axis=0)
        self.mean_, self.scale_ = found.of.mean, found.of.scale
        self.components_ = found.weights[:, : self.n_components_].T
        self.explained_variance_ = variance[: self.n_components_]
        self.explained_variance_ratio_ = self.explained_variance_ / variance.sum()
        return self

    def transform(self, X: Any) -> Matrix:
        """Return the components of samples."""
        check_is_fitted(self)
        samples = validate_data(self, X, dtype=np.float64, reset=False)
        return (samples - self.mean_) / self.scale_ @ self.components_.T

    def inverse_transform(self, X: Any) -> Matrix:
        """Return samples from components: exact if all components were kept, otherwise the nearest (least squares)."""
        check_is_fitted(self)
        return check_array(X, dtype=np.float64) @ self.components_ * _finite(self.scale_) + self.mean_

    @property
    def _n_features_out(self) -> int:
        return self.n_components_


class CCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Canonical correlation analysis of inputs X and targets y (Eq. 2), highest correlation first.

    Unlike `sklearn.cross_decomposition.CCA` it solves the problem in closed form, even if channels repeat each other.

    Args:
        n_components: how many to keep, a whole number; None: min(rank X, rank y).

    Attributes:
        correlations_: correlations of the two sides, by component.
        target_r2_: share of the variance of the z-scored y that the first 1, 2, … components of X explain.
        x_weights_: canonical weights (channel, component) of z-scored channels; each variate has variance 1.
        y_weights_: the same of y; the largest weight of each component is positive.
        x_loadings_: correlations of channels with variates (channel, component).
        y_loadings_: the same of y.
        x_mean_: mean of each channel.
        x_scale_: its standard deviation; infinite if the channel does not vary.
        y_mean_: the same as `x_mean_`, of y.
        y_scale_: the same as `x_scale_`, of y.
        primitives_: the whole fit as the workflow saves it, with the range of every component.
        n_components_: number of components.
    """

    def __init__(self, n_components: Any = None) -> None:
        self.n_components = n_components

    def fit(self, X: Any, y: Any) -> "CCA":
        """Fit samples × channels of both sides; a y of one dimension is one channel.

        Raises:
            ValueError: if a value is not finite, a side does not vary, or `n_components` exceeds the rank.
        """
        x, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2)
        y = _column(y)
        self.primitives_: Primitives = fit_cca(x, y)
        n = self.n_components_ = _checked(self.n_components, len(self.primitives_.correlations))
        self.correlations_, self.target_r2_ = self.primitives_.correlations[:n], self.primitives_.target_r2[:n]
        for name, side, samples in (("x", self.primitives_.inputs, x), ("y", self.primitives_.targets, y)):
            weights = side.weights[:, :n]
            z = (samples - side.mean) / side.scale
            setattr(self, f"{name}_mean_", side.mean)
            setattr(self, f"{name}_scale_", side.scale)
            setattr(self, f"{name}_weights_", weights)
            setattr(self, f"{name}_loadings_", z.T @ (z @ weights) / len(z))  # variates are uncorrelated, of variance 1
        return self

    def transform(self, X: Any, y: Any = None) -> Matrix | tuple[Matrix, Matrix]:
        """Return the variates of X or, if y is given, of both sides."""
        check_is_fitted(self)
        samples = validate_data(self, X, dtype=np.float64, reset=False)
        of_x = (samples - self.x_mean_) / self.x_scale_ @ self.x_weights_
        if y is None:
            return of_x
        samples = _column(check_array(y, dtype=np.float64, ensure_2d=False, input_name="y"))
        return of_x, (samples - self.y_mean_) / self.y_scale_ @ self.y_weights_

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> tuple[Matrix, Matrix]:
        """Fit, and return the variates of both sides, as scikit-learn's cross decompositions do."""
        return cast(tuple[Matrix, Matrix], self.fit(X, y, **fit_params).transform(X, y))

    def inverse_transform(self, X: Any, y: Any = None) -> Matrix | tuple[Matrix, Matrix]:
        """Return samples from variates: exact for a side of as many components as its rank, else least squares."""
        check_is_fitted(self)
        of_x = check_array(X, dtype=np.float64) @ self.x_loadings_.T * _finite(self.x_scale_) + self.x_mean_
        if y is None:
            return of_x
        return of_x, check_array(y, dtype=np.float64) @ self.y_loadings_.T * _finite(self.y_scale_) + self.y_mean_

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


def _checked(n_components: Any, rank: int) -> int:
    if n_components is None:
        return rank
    whole = isinstance(n_components, numbers.Real) and not isinstance(n_components, bool) and n_components % 1 == 0
    if not whole or not 1 <= n_components <= rank:
        raise ValueError(f"n_components: {n_components!r} is not allowed; 1 to {rank}, the rank of the data, or None")
    return int(n_components)


def _column(y: np.ndarray) -> Samples:
    return np.asarray(y[:, None] if y.ndim == 1 else y, np.float64)


def _finite(scale: Float[np.ndarray, " channel"]) -> Float[np.ndarray, " channel"]:
    """Return the scale, 0 for a channel that does not vary and stays at its mean."""
    return np.where(np.isfinite(scale), scale, 0.0)
