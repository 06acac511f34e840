"""The optimiser as one optax chain: mask, clipping, Adam, learning rate and its factors, and the mask again."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int

from molap.config.training import OptimiserSettings

Scalar = float | Float[Array | np.ndarray, ""]


def learning_rate(initial: Scalar, n_steps: int, settings: OptimiserSettings) -> optax.Schedule:
    """Return the learning rate by step: cosine decay to zero, equal stages scaled by `stage_factor`, or constant."""
    if settings.decay == "cosine":
        return optax.cosine_decay_schedule(initial, n_steps)
    if settings.decay == "constant":
        return optax.constant_schedule(initial)
    return lambda count: initial * settings.stage_factor ** stage_index(count, n_steps, settings.n_stages)


def stage_index(count: Int[Array, ""] | int, n_steps: int, n_stages: int) -> Int[Array, ""]:
    """Return the stage (from 0) of step `count` (from 0) when `n_steps` are divided into equal stages."""
    return jnp.minimum(count * n_stages // n_steps, n_stages - 1)


class StageAdamState(NamedTuple):
    """The moments of Adam and the true number of steps done."""

    count: Int[Array, ""]  # type: ignore[assignment]  # optax's name for it, which tuples use for a method
    mu: optax.Updates
    nu: optax.Updates


def scale_by_stage_adam(
    n_steps: int, n_stages: int, b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8
) -> optax.GradientTransformation:
    """Return Adam with a bias correction that counts stages instead of steps, a defect of the released code.

    m ← b₁ m + (1 − b₁) g, v ← b₂ v + (1 − b₂) g², update m̂ / (√v̂ + ε) with m̂ = m / (1 − b₁ˢ⁺¹),
    v̂ = v / (1 − b₂ˢ⁺¹) and s the index of the stage. In the first stage, once the moments have settled, steps
    are √0.001 / 0.1 ≈ 0.32 of Adam's.
    """

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return StageAdamState(jnp.zeros([], jnp.int32), zeros, zeros)

    def update(updates, state, params=None):
        del params
        mu = optax.tree.update_moment(updates, state.mu, b1, 1)
        nu = optax.tree.update_moment_per_elem_norm(updates, state.nu, b2, 2)
        stage = stage_index(state.count, n_steps, n_stages)
        m_hat = optax.tree.bias_correction(mu, b1, stage + 1)
        v_hat = optax.tree.bias_correction(nu, b2, stage + 1)
        updates = jax.tree.map(lambda m, v: m / (jnp.sqrt(v) + eps), m_hat, v_hat)
        return updates, StageAdamState(state.count + 1, mu, nu)

    return optax.GradientTransformation(init, update)


def keep_masked(mask: dict[str, bool | Float[Array | np.ndarray, "..."]]) -> optax.GradientTransformation:
    """Set the updates of frozen entries to zero. `mask`, by weight: True, or an array that is 0 at frozen entries."""

    def update(updates, state, params=None):
        del params
        kept = {name: u if mask[name] is True else jnp.where(mask[name] > 0, u, 0.0) for name, u in updates.items()}
        return kept, state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def scale_rates(factors: Mapping[str, Scalar]) -> optax.GradientTransformation:
    """Multiply the updates of some weights, by name; after the learning rate, this gives them rates of their own.

    A factor that is the number 1 adds nothing to the program.
    """
    factors = {name: factor for name, factor in factors.items() if not (isinstance(factor, float) and factor == 1)}

    def update(updates, state, params=None):
        del params
        return {name: u * factors[name] if name in factors else u for name, u in updates.items()}, state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)


def clip_by_norm(max_norm: Scalar | None) -> optax.GradientTransformation:
    """Clip the gradient of the trained weights by its global norm; None or an infinite `max_norm` means no clipping.

    An infinite norm is handled entry by entry, because t / norm · ∞ is not a number if the norm overflows too.
    """
    if max_norm is None:
        return optax.identity()
    clip = optax.clip_by_global_norm(max_norm)
    if isinstance(max_norm, float):
        return clip

    def update(updates, state, params=None):
        clipped, state = clip.update(updates, state, params)
        return jax.tree.map(lambda u, c: jnp.where(jnp.isinf(max_norm), u, c), updates, clipped), state

    return optax.GradientTransformation(clip.init, update)


def make_optimiser(
    initial_rate: Scalar,
    n_steps: int,
    settings: OptimiserSettings,
    mask: dict[str, bool | Float[Array | np.ndarray, "..."]],
    before_adam: optax.GradientTransformation | None = None,
    last: optax.GradientTransformation | None = None,
    factors: Mapping[str, Scalar] | None = None,
    clip_norm: Float[Array | np.ndarray, ""] | None = None,
) -> optax.GradientTransformation:
    """Return the optimiser of a phase; `before_adam` and `last` are further transformations of gradient and update.

    The gradient is masked before clipping, so that its norm is that of the trained weights. The update is masked last,
    so that frozen entries stay bit-identical whatever comes between. The `factors` on learning rates, by weight, are
    applied before `last`, because a projection would not survive them. `clip_norm` replaces that of `settings` and need
    not be known when the program is compiled; infinity means no clipping.
    """
    by_step = settings.adam_count == "step"
    adam = optax.scale_by_adam() if by_step else scale_by_stage_adam(n_steps, settings.n_stages)
    return optax.chain(
        keep_masked(mask),
        clip_by_norm(settings.clip_norm if clip_norm is None else clip_norm),
        before_adam or optax.identity(),
        adam,
        optax.scale_by_learning_rate(learning_rate(initial_rate, n_steps, settings)),
        scale_rates(factors or {}),
        last or optax.identity(),
        keep_masked(mask),
    )
