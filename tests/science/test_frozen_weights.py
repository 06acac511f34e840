"""Frozen weights stay as they are to the bit, whatever the optimiser is given."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from small_optimiser import (
    BLOCK,
    N_STEPS,
    RATE,
    TRAIN_BLOCK,
    first_weights,
    gradients,
    optimise,
    settings,
)

from molap.training.optimiser import keep_masked, make_optimiser


def last_updates(transform: optax.GradientTransformation, sequence: list[dict]) -> list[dict]:
    weights = jax.tree.map(jnp.asarray, first_weights())
    state, found = transform.init(weights), []
    for gradient in sequence:
        updates, state = transform.update(gradient, state, weights)
        found.append(jax.tree.map(np.asarray, updates))
    return found


@pytest.mark.parametrize("adam_count", ["step", "stage"])
@pytest.mark.parametrize("clip_norm", [None, 0.1])
@pytest.mark.parametrize("scale", [1.0, 1e15])
def test_updates_of_frozen_entries_are_exactly_zero(adam_count, clip_norm, scale):
    transform = make_optimiser(RATE, N_STEPS, settings(adam_count=adam_count, clip_norm=clip_norm), TRAIN_BLOCK)
    for updates in last_updates(transform, gradients(scale)):
        assert np.all(updates["w_rec"][BLOCK == 0] == 0)
        assert np.all(updates["w_rec"][BLOCK == 1] != 0) and np.all(updates["w_in"] != 0)


@pytest.mark.parametrize("scale", [1.0, 1e15])
def test_frozen_entries_stay_the_same_to_the_bit(scale):
    transform = make_optimiser(RATE, N_STEPS, settings(clip_norm=0.1), TRAIN_BLOCK)
    before, *after = optimise(transform, gradients(scale))
    for weights in after:
        assert weights["w_rec"][BLOCK == 0].tobytes() == before["w_rec"][BLOCK == 0].tobytes()
    assert np.all(after[-1]["w_rec"][BLOCK == 1] != before["w_rec"][BLOCK == 1])


def test_optax_masked_alone_would_let_raw_gradients_through():
    """The trap: `optax.masked` leaves what it does not transform as it is, so frozen weights would move."""
    mask = {"w_in": True, "w_rec": False}
    trap = optax.chain(optax.masked(optax.scale_by_adam(), mask), optax.scale(-RATE))
    before, *after = optimise(trap, gradients())
    assert np.all(after[0]["w_rec"] != before["w_rec"])
    ours = make_optimiser(RATE, N_STEPS, settings(), {"w_in": True, "w_rec": np.zeros((4, 4), np.float32)})
    before, *after = optimise(ours, gradients())
    assert after[-1]["w_rec"].tobytes() == before["w_rec"].tobytes()


def test_the_mask_acts_on_updates_whatever_stands_before_it():
    """Weight decay after a masked gradient would move frozen weights; the mask at the end does not let it."""
    masked_first = optax.chain(keep_masked(TRAIN_BLOCK), optax.add_decayed_weights(0.1))
    masked_last = optax.chain(masked_first, keep_masked(TRAIN_BLOCK))
    frozen = BLOCK == 0
    before, *after = optimise(masked_first, gradients())
    assert np.all(after[0]["w_rec"][frozen] != before["w_rec"][frozen])
    before, *after = optimise(masked_last, gradients())
    assert after[-1]["w_rec"][frozen].tobytes() == before["w_rec"][frozen].tobytes()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_frozen_updates_are_zero_where_the_gradient_is_not_finite(value):
    updates = {"w_in": jnp.ones((4, 2)), "w_rec": jnp.where(jnp.asarray(BLOCK) > 0, 1.0, value)}
    kept, _ = keep_masked(TRAIN_BLOCK).update(updates, optax.EmptyState())
    assert np.array_equal(kept["w_rec"], BLOCK)
    assert np.array_equal(kept["w_in"], np.ones((4, 2)))
