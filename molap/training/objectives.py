"""The objective of training: the loss on a batch of one task (A.2.1)."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from molap.config.training import PhaseSettings
from molap.networks.rnn import Params, draw_state_noise, respond

Batch = tuple[Array | np.ndarray, ...]
"""Inputs (time, trial, channel), targets (time, trial, output) and, for a task that has one, the mask of the loss."""
Objective = Callable[[Params, Any, Key[Array, ""]], tuple[Float[Array, ""], Float[Array, ""]]]
"""(network, batch, key for the state noise) → (loss, mean squared error)."""


def mean_squared_error(
    outputs: Float[Array, "time trial output"],
    targets: Float[Array | np.ndarray, "time trial output"],
    mask: Float[Array | np.ndarray, "time #trial #output"] | None = None,
) -> Float[Array, ""]:
    """Return Σ m (ŷ − y)² / Σ m over steps, trials and outputs, or 0 if Σ m = 0; without a mask, m = 1."""
    squares = (outputs - targets) ** 2
    if mask is None:
        return jnp.mean(squares)
    weights = jnp.broadcast_to(mask, squares.shape)
    total = jnp.sum(weights)
    return jnp.sum(weights * squares) / jnp.where(total > 0, total, 1)


def loss(
    params: Params,
    inputs: Float[Array | np.ndarray, "time trial channel"],
    targets: Float[Array | np.ndarray, "time trial output"],
    weight_penalty: float,
    activity_penalty: float,
    noise: Float[Array | np.ndarray, "time trial unit"] | None = None,
    block: slice | None = None,
    mask: Float[Array | np.ndarray, "time #trial #output"] | None = None,
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Return the loss (A.2.1) and its mean squared error.

    The loss is mean (y − ŷ)² + weight_penalty · Σ W² + activity_penalty · mean h², with the sum over W_in, W_rec and
    W_out. `block` is that of `molap.networks.rnn.respond`, `mask` that of `mean_squared_error`.
    """
    outputs, activity = respond(params, inputs, noise, block)
    mse = mean_squared_error(outputs, targets, mask)
    weights = sum(jnp.sum(w**2) for w in (params.w_in, params.w_rec, params.w_out))
    return mse + weight_penalty * weights + activity_penalty * activity, mse


def task_objective(
    phase: PhaseSettings,
    state_noise: float = 0.0,
    view: Callable[[Params], Params] = lambda network: network,
    block: slice | None = None,
) -> Objective:
    """Return the loss of the network, as `view` presents it, on a batch of one task; `block` is that of `loss`."""

    def objective(network: Params, batch: Batch, key: Key[Array, ""]):
        inputs, targets, *mask = batch
        noise = draw_state_noise(key, state_noise, inputs.shape[1], inputs.shape[0], network.w_rec.shape[0])
        return loss(view(network), inputs, targets, phase.weight_penalty, phase.activity_penalty, noise, block, *mask)

    return objective
