"""Fits of the latent primitives to the corpus: canonical correlation analysis, and principal components as its control.

Source: section 3.3 and Eq. 2, A.2.2.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import PCA

from molap.primitives.variates import Primitives, Side

Samples = Float[np.ndarray, "sample _"]
SMALLEST, LARGEST = 1e-100, 1e100
"""Sizes between which the squares of samples, and sums of them, are numbers of double precision."""


class ZScored(NamedTuple):
    """Samples minus their mean, in standard deviations; a constant channel has an infinite scale and is zero."""

    samples: Samples
    mean: Float[np.ndarray, " channel"]
    scale: Float[np.ndarray, " channel"]


class Projection(NamedTuple):
    """The canonical or principal weights of the z-scored channels of one side."""

    of: ZScored
    weights: Float[np.ndarray, "channel component"]

    def side(self) -> Side:
        """Return the projection together with the range of its components over the samples."""
        components = self.components()
        return Side(self.of.mean, self.of.scale, self.weights, components.min(axis=0), components.max(axis=0))

    def components(self) -> Float[np.ndarray, "sample component"]:
        """Return the components of the samples."""
        return self.of.samples @ self.weights


def fit_cca(inputs: Samples, targets: Samples) -> Primitives:
    """Fit a canonical correlation analysis of inputs X and targets Y (Eq. 2), with all components.

    Each side is z-scored, reduced to its numerical rank and whitened; the singular value decomposition of the
    whitened cross-covariance gives the canonical weights. Without the reduction, the stacked targets, which repeat
    channels exactly, would have canonical directions of zero variance.

    Args:
        inputs: samples (time × trial) by channels.
        targets: the same samples by output channels.

    Returns:
        min(rank X, rank Y) components in order of decreasing correlation. Each has unit variance, and the sign that
        makes the largest weight on its target side (the first of several equal ones) positive; `low` and `high` are
        its range over the samples.

    Raises:
        ValueError: if samples are not finite, or a side has no variance.
    """
    x, y = z_score(inputs), z_score(targets)
    x_white, y_white = _whitener(x.samples), _whitener(y.samples)
    covariance = (x.samples @ x_white).T @ (y.samples @ y_white) / len(x.samples)
    left, correlations, right = np.linalg.svd(covariance, full_matrices=False)
    a, b = x_white @ left, y_white @ right.T
    signs = _signs(b)
    return _fitted(Projection(x, a * signs), Projection(y, b * signs), correlations, y.samples)


def fit_pca(inputs: Samples, targets: Samples, joint: bool = False) -> Primitives:
    """Fit the PCA control (A.2.2): principal components of z-scored inputs and of z-scored targets.

    Args:
        inputs: samples (time × trial) by channels.
        targets: the same samples by output channels.
        joint: whether to fit one PCA to all columns, whose components serve both as input and as target (released
            code: the task of a module is then to reproduce its input).

    Raises:
        ValueError: if samples are not finite, or a side has no variance.
    """
    x, y = z_score(inputs), z_score(targets)
    if joint:
        side = principal(ZScored(*(np.concatenate(parts, axis=-1) for parts in zip(x, y, strict=True))))
        return _fitted(side, side, np.ones(side.weights.shape[1]), y.samples)
    u, v = principal(x), principal(y)
    n_components = min(u.weights.shape[1], v.weights.shape[1])
    u, v = (side._replace(weights=side.weights[:, :n_components]) for side in (u, v))
    pairs = zip(u.components().T, v.components().T, strict=True)
    return _fitted(u, v, np.array([np.corrcoef(one, other)[0, 1] for one, other in pairs]), y.samples)


def principal(of: ZScored) -> Projection:
    """Return the principal components with numerically positive variance, largest first; the largest weight of each
    is positive."""
    weights = _principal_axes(of.samples)[0]
    return Projection(of, weights * _signs(weights))


def z_score(samples: Samples) -> ZScored:
    """Subtract means and divide by standard deviations.

    Raises:
        ValueError: if samples are not finite, or no channel varies.
    """
    samples = np.asarray(samples, np.float64)
    if not np.isfinite(samples).all():
        raise ValueError("samples hold values that are not finite")
    largest = np.abs(samples).max(axis=0)
    odd = largest[(largest > 0) & ~((largest > SMALLEST) & (largest < LARGEST))]
    if odd.size:
        raise ValueError(f"samples of size {odd[0]:.0e} are not allowed; rescale them to between 1e-100 and 1e100")
    mean, scale = samples.mean(axis=0), samples.std(axis=0)
    # Float32 rounds samples by 6e-8 of their size; a channel that varies by less is constant.
    constant = scale <= 1e-7 * np.abs(samples).max(axis=0)
    if constant.all():
        raise ValueError("samples have no variance")
    scale = np.where(constant, np.inf, scale)
    return ZScored((samples - mean) / scale, mean, scale)


def _principal_axes(samples: Samples) -> tuple[Float[np.ndarray, "channel rank"], Float[np.ndarray, " rank"]]:
    """Return the principal axes with numerically positive variance, and that variance.

    Float32 samples carry relative errors of 6e-8 per entry, so a variance below 1e-12 of the largest counts as zero.
    """
    model = PCA(svd_solver="covariance_eigh").fit(samples)
    rank = int(np.sum(model.explained_variance_ > 1e-12 * model.explained_variance_[0]))
    return model.components_[:rank].T, model.explained_variance_[:rank] * (len(samples) - 1) / len(samples)


def _whitener(samples: Samples) -> Float[np.ndarray, "channel rank"]:
    axes, variance = _principal_axes(samples)
    return axes / np.sqrt(variance)


def _signs(weights: Float[np.ndarray, "channel component"]) -> Float[np.ndarray, " component"]:
    # Repeated channels tie up to rounding; the first within 1e-6 of the largest decides.
    sizes = np.abs(weights)
    decides = (sizes >= (1 - 1e-6) * sizes.max(axis=0)).argmax(axis=0)
    return np.where(weights[decides, np.arange(weights.shape[1])] < 0, -1.0, 1.0)


def _fitted(
    inputs: Projection, targets: Projection, correlations: Float[np.ndarray, " component"], explained: Samples
) -> Primitives:
    """Return the primitives of a fit; `explained` holds the z-scored targets, whose variance the inputs explain."""
    return Primitives(inputs.side(), targets.side(), correlations, _explained(inputs.components(), explained))


def _explained(u: Samples, y: Samples) -> Float[np.ndarray, " component"]:
    """Return the R² of the z-scored targets, averaged over channels, on the first r columns of U, for every r."""
    orthonormal, _ = np.linalg.qr(u - u.mean(axis=0))
    return np.cumsum(np.mean((orthonormal.T @ y) ** 2, axis=1)) / len(y) / np.mean(y.var(axis=0))
