"""Latent primitives: the canonical variates (or principal components) on which the modules are pre-trained.

Source: section 3.3 and Eq. 2, A.2.1, A.2.2.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from molap.corpus import CorpusBatch
from molap.products import product


class Side(NamedTuple):
    """The projection of one side (inputs or targets) on its components, and the components' range."""

    mean: Float[np.ndarray, " channel"]
    scale: Float[np.ndarray, " channel"]
    weights: Float[np.ndarray, "channel component"]
    low: Float[np.ndarray, " component"]
    high: Float[np.ndarray, " component"]


class Primitives(NamedTuple):
    """Fitted projections of inputs (U) and targets (V)."""

    inputs: Side
    targets: Side
    correlations: Float[np.ndarray, " component"]
    """Correlation of U and V per component."""
    target_r2: Float[np.ndarray, " component"]
    """Share of the targets' variance (z-scored) that the first r components of U explain, for r = 1, 2, …"""

    def flat(self) -> dict[str, np.ndarray]:
        """All arrays by name, for a file."""
        sides = {
            f"{side}_{name}": value
            for side in ("inputs", "targets")
            for name, value in getattr(self, side)._asdict().items()
        }
        return sides | {"correlations": self.correlations, "target_r2": self.target_r2}

    @classmethod
    def from_flat(cls, arrays: dict[str, np.ndarray]) -> "Primitives":
        """The inverse of `flat`."""
        sides = [Side(*(arrays[f"{side}_{name}"] for name in Side._fields)) for side in ("inputs", "targets")]
        return cls(*sides, arrays["correlations"], arrays["target_r2"])


class Variate(NamedTuple):
    """One component of one side as an affine map of its channels, rescaled to about [0, 1]."""

    weights: Float[np.ndarray, " channel"]
    offset: Float[np.ndarray, ""]


def module_variates(primitives: Primitives, component: int) -> tuple[Variate, Variate]:
    """Input and target of the module trained on `component` (from 0), in single precision.

    The range is that of the corpus on which the projection was fitted; a fresh batch may leave it slightly.
    """
    return _variate(primitives.inputs, component), _variate(primitives.targets, component)


def primitive_trials(
    pair: tuple[Variate, Variate], batch: CorpusBatch, joint: bool = False
) -> tuple[Float[Array, "time trial 1"], Float[Array, "time trial 1"]]:
    """Input and target of a module for a batch of the corpus's trials."""
    if joint:
        both = jnp.concatenate([batch.inputs, batch.targets], axis=-1)
        batch = CorpusBatch(both, both)
    inputs, targets = (product(values, v.weights)[..., None] - v.offset for v, values in zip(pair, batch, strict=True))
    return inputs, targets


def _variate(side: Side, component: int) -> Variate:
    weights = side.weights[:, component] / side.scale
    width = side.high[component] - side.low[component]
    offset = (side.mean @ weights + side.low[component]) / width
    return Variate(np.asarray(weights / width, np.float32), np.asarray(offset, np.float32))
