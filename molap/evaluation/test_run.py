"""Run trained networks on trials that training never uses, with the state noise of the test."""

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Float

from molap.networks.rnn import Params, draw_state_noise, run
from molap.randomness import named_key


def test_noise(
    data_seed: int,
    std: float,
    inputs: Float[Array | np.ndarray, "step every_trial channel"],
    n_units: int,
    n_trials: int,
) -> Float[Array | np.ndarray, "step trial unit"] | None:
    """Draw the state noise of the first trials of a test set, as the evaluation draws it for all of them."""
    noise = draw_state_noise(named_key(data_seed, "state noise"), std, inputs.shape[1], len(inputs), n_units)
    return None if noise is None else noise[:, :n_trials]


@partial(jax.jit, static_argnames=("state_noise", "data_seed"))
def run_test(params: Params, inputs, state_noise: float, data_seed: int):
    """Run one network on a test set, with the state noise of the test."""
    return run(params, inputs, test_noise(data_seed, state_noise, inputs, params.w_rec.shape[0], inputs.shape[1]))


@partial(jax.jit, static_argnames=("state_noise", "data_seed"))
def run_test_outputs(params: Params, inputs, state_noise: float, data_seed: int):
    """Return the outputs of `run_test` without keeping the rates (176 MB for 200 units on 2,000 trials)."""
    return run(params, inputs, test_noise(data_seed, state_noise, inputs, params.w_rec.shape[0], inputs.shape[1]))[0]
