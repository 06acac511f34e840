"""Latent primitives: the canonical variates (or principal components) on which the modules are pre-trained.

Source: section 3.3 and Eq. 2, A.2.1, A.2.2.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from molap.config.tasks import TrialSettings
from molap.networks.products import product
from molap.randomness import fold_in_name
from molap.tasks.batch import noise_std
from molap.tasks.corpus import CorpusBatch, Lengths, draw_corpus
from molap.tasks.task import Task


class Side(NamedTuple):
    """The projection of one side (inputs or targets) onto its components, and the range of each component."""

    mean: Float[np.ndarray, " channel"]
    """Mean of each channel over the corpus."""
    scale: Float[np.ndarray, " channel"]
    """Its standard deviation; infinite if the channel does not vary."""
    weights: Float[np.ndarray, "channel component"]
    """Weights of the z-scored channels in each component."""
    low: Float[np.ndarray, " component"]
    """Smallest value of each component in the corpus."""
    high: Float[np.ndarray, " component"]
    """Largest value of each component in the corpus."""


class Primitives(NamedTuple):
    """The fitted projections of inputs (U) and targets (V)."""

    inputs: Side
    """Means, scales, weights and ranges of the inputs."""
    targets: Side
    """The same of the targets."""
    correlations: Float[np.ndarray, " component"]
    """Correlation of U and V per component."""
    target_r2: Float[np.ndarray, " component"]
    """Share of the variance of the z-scored targets that the first r components of U explain, for r = 1, 2, …"""

    def __repr__(self) -> str:
        """Say how many components there are, and how far they correlate; the arrays are too long to print."""
        sizes = f"{len(self.inputs.mean)} inputs, {len(self.targets.mean)} targets"
        first = [f"{value:.3f}" for value in self.correlations[:3]] + ["…"] * (len(self.correlations) > 3)
        return f"Primitives({sizes}, {len(self.correlations)} components, correlations {', '.join(first)})"

    def flat(self) -> dict[str, np.ndarray]:
        """Return all arrays by name, to save them in one file."""
        sides = {
            f"{side}_{name}": value
            for side in ("inputs", "targets")
            for name, value in getattr(self, side)._asdict().items()
        }
        return sides | {"correlations": self.correlations, "target_r2": self.target_r2}

    @classmethod
    def from_flat(cls, arrays: dict[str, np.ndarray]) -> "Primitives":
        """Return the inverse of `flat`."""
        inputs, targets = (Side(*(arrays[f"{side}_{name}"] for name in Side._fields)) for side in ("inputs", "targets"))
        return cls(inputs, targets, arrays["correlations"], arrays["target_r2"])


class Variate(NamedTuple):
    """One component of one side, as an affine map of the channels, rescaled to about [0, 1]."""

    weights: Float[np.ndarray, " channel"]
    offset: Float[np.ndarray, ""]


def module_variates(primitives: Primitives, component: int) -> tuple[Variate, Variate]:
    """Return the input and target variates of the module trained on `component` (from 0), in single precision.

    The range is that over the corpus on which the projection was fitted; a new batch may exceed it slightly.
    """
    return _variate(primitives.inputs, component), _variate(primitives.targets, component)


def primitive_trials(
    pair: tuple[Variate, Variate], batch: CorpusBatch, joint: bool = False
) -> tuple[Float[Array, "time trial 1"], Float[Array, "time trial 1"]]:
    """Return the input and target of a module on a batch of trials of the corpus."""
    if joint:
        both = jnp.concatenate([batch.inputs, batch.targets], axis=-1)
        batch = CorpusBatch(both, both)
    inputs, targets = (product(values, v.weights)[..., None] - v.offset for v, values in zip(pair, batch, strict=True))
    return inputs, targets


def draw_primitive_trials(
    pair: tuple[Variate, Variate],
    tasks: list[Task],
    key: Key[Array, ""],
    n_trials: int,
    settings: TrialSettings,
    aligned: bool,
    joint: bool = False,
    lengths: Lengths = "pad",
) -> tuple[Float[Array, "time trial 1"], Float[Array, "time trial 1"]]:
    """Draw a batch of a module's input and target.

    If the inputs have independent noise η_c(t) ~ N(0, σ_c²), a variate of them has the noise
    Σ_c w_c η_c(t) ~ N(0, Σ_c w_c² σ_c²), independent over steps and trials. The function draws this noise directly, one
    number instead of one for each of the 25 channels. With `rescaling: batch` the scale depends on the noise, which is
    therefore drawn channel by channel.

    Args:
        pair: the variates of inputs and targets.
        tasks: the tasks of the corpus on which the projections were fitted, in the order of the corpus.
        key: the key of this batch.
        n_trials: the number of trials.
        settings: how trials are drawn.
        aligned: whether trial i has the same conditions in every task.
        joint: whether both projections are of inputs and targets side by side.
        lengths: how trials of unlike lengths are put side by side (`draw_corpus`).
    """
    stds = [noise_std(task, settings) for task in tasks for _ in task.inputs]
    known = None not in stds
    batch = draw_corpus(tasks, key, n_trials, settings, aligned, not known, lengths)
    inputs, targets = primitive_trials(pair, batch, joint)
    if not known or settings.input_noise == 0:
        return inputs, targets
    std = jnp.sqrt(jnp.sum((pair[0].weights[: len(stds)] * np.array(stds, np.float32)) ** 2))
    on = (jnp.arange(inputs.shape[0]) >= settings.noise_onset)[:, None, None]
    noise = std * on * jax.random.normal(fold_in_name(key, "variate"), inputs.shape)
    return inputs + noise, targets + noise if joint else targets


def _variate(side: Side, component: int) -> Variate:
    weights = side.weights[:, component] / side.scale
    width = side.high[component] - side.low[component]
    offset = (side.mean @ weights + side.low[component]) / width
    return Variate(np.asarray(weights / width, np.float32), np.asarray(offset, np.float32))
