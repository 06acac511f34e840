"""Trained networks on trials that no training sees, with the state noise of the test."""

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Float

from molap.config.evaluation import CriterionSettings
from molap.evaluation.criterion import metrics
from molap.networks.rnn import Params, draw_state_noise, over_seeds, run
from molap.randomness import named_key


def test_noise(
    data_seed: int,
    std: float,
    inputs: Float[Array | np.ndarray, "step every_trial channel"],
    n_units: int,
    n_trials: int,
) -> Float[Array | np.ndarray, "step trial unit"] | None:
    """State noise of the first trials of a test set: what the evaluation draws for all of them."""
    noise = draw_state_noise(named_key(data_seed, "state noise"), std, inputs.shape[1], len(inputs), n_units)
    return None if noise is None else noise[:, :n_trials]


@partial(jax.jit, static_argnames=("state_noise", "data_seed"))
def run_test(params: Params, inputs, state_noise: float, data_seed: int):
    """Outputs and rates of one network on a test set, with the state noise of the test."""
    return run(params, inputs, test_noise(data_seed, state_noise, inputs, params.w_rec.shape[0], inputs.shape[1]))


@jax.jit
def _outputs(params: Params, inputs, noise) -> Float[Array, "network time trial output"]:
    return over_seeds(lambda network: run(network, inputs, noise)[0])(params)


def scores(
    params: Params, validation: dict[str, np.ndarray], criterion: CriterionSettings, state_noise: float, data_seed: int
) -> list[dict[str, float | bool]]:
    """Score networks on validation trials.

    Returns:
        By network: `accuracy`, `decision_accuracy` and `best_constant` (%), `mse`, and `failed`: whether the accuracy
        is below that of the best constant output.
    """
    inputs, rows = validation["inputs"], []
    noise = test_noise(data_seed, state_noise, inputs, params.w_rec.shape[-1], inputs.shape[1])
    for outputs in np.asarray(_outputs(params, inputs, noise)):
        found = metrics(outputs, validation["targets"], criterion)
        row = {name: found[name] for name in ("accuracy", "decision_accuracy", "best_constant", "mse")}
        rows.append(row | {"failed": bool(row["accuracy"] < row["best_constant"])})
    return rows
