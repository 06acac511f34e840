"""Score networks of the search on validation trials."""

import jax
import numpy as np
from jaxtyping import Array, Float

from molap.config.evaluation import CriterionSettings
from molap.evaluation.criterion import PAPER_RULE, Rule, metrics
from molap.evaluation.test_run import test_noise
from molap.networks.rnn import Params, over_seeds, run


@jax.jit
def _outputs(params: Params, inputs, noise) -> Float[Array, "network time trial output"]:
    return over_seeds(lambda network: run(network, inputs, noise)[0])(params)


def scores(
    params: Params,
    validation: dict[str, np.ndarray],
    criterion: CriterionSettings,
    state_noise: float,
    data_seed: int,
    rule: Rule = PAPER_RULE,
) -> list[dict[str, float | bool]]:
    """Score networks on validation trials.

    Returns:
        For each network: `accuracy`, `decision_accuracy` and `best_constant` (%), `mse`, and `failed`, whether the
        accuracy is below that of the best constant output.
    """
    inputs, rows = validation["inputs"], []
    noise = test_noise(data_seed, state_noise, inputs, params.w_rec.shape[-1], inputs.shape[1])
    for outputs in np.asarray(_outputs(params, inputs, noise)):
        found = metrics(outputs, validation["targets"], criterion, rule)
        row = {name: found[name] for name in ("accuracy", "decision_accuracy", "best_constant", "mse")}
        rows.append(row | {"failed": bool(row["accuracy"] < row["best_constant"])})
    return rows
