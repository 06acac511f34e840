"""Small networks, and phases of a few steps, for the tests of training."""

import jax
import jax.numpy as jnp

from molap.config.network import InitSettings
from molap.config.training import OptimiserSettings, PhaseSettings
from molap.networks.masks import all_weights, head_weights, pretraining_weights
from molap.networks.rnn import draw_params, draw_w_rec, select_network, stack_networks, to_arrays
from molap.randomness import named_key
from molap.training.loop import Recipe, train
from molap.training.objectives import task_objective

N_UNITS, N_MODULES, N_STEPS = 12, 2, 6
WEIGHTS = ("w_in", "w_rec", "w_out")
OPTIMISER = OptimiserSettings(decay="cosine", clip_norm=0.1)
PLAIN_ADAM = OptimiserSettings(decay="constant", clip_norm=None)


def networks(seeds, biases: bool = False, inter_module: str = "random", n_units: int = N_UNITS, n: int = 1):
    # A readout that starts at zero passes no error back in the first steps, and hides the noise.
    init = InitSettings(biases=biases, readout_init="n_units")
    drawn = [
        draw_params(seed, draw_w_rec(seed, n_units, 1.5, inter_module, N_MODULES), n, n, "test", init) for seed in seeds
    ]
    return stack_networks(drawn)


def keys(seeds):
    return jnp.stack([named_key(0, "training", seed) for seed in seeds])


def noisy_batch(key):
    """A batch in which every number depends on the key."""
    values = jax.random.normal(key, (10, 4, 2))
    return values[..., :1], values[..., 1:]


def phase(**values) -> PhaseSettings:
    return PhaseSettings(**{"learning_rate": 1e-2, "n_steps": N_STEPS, "batch_size": 4} | values)


PHASE = phase()


def trained(
    seeds,
    trainable=all_weights,
    draw=noisy_batch,
    optimiser=OPTIMISER,
    start=None,
    phase=PHASE,
    state_noise=0.0,
    watch=None,
    **options,
):
    """Networks before and after a phase, and its curves."""
    start = networks(seeds) if start is None else start
    mask = trainable(select_network(start, 0))
    recipe = Recipe(phase, optimiser, task_objective(phase, state_noise))
    after, curves = train(start, mask, draw, keys(seeds), recipe, watch, **options)
    return start, after, curves


def module(number: int, input_weights: str = "column"):
    return lambda params: pretraining_weights(params, N_MODULES, number, input_weights)


PHASES = {
    "module1": module(1),
    "module2": module(2),
    "module2-released": module(2, "released"),
    "heads": head_weights,
    "all": all_weights,
}


def assert_same_bytes(one, other) -> None:
    one, other = to_arrays(one), to_arrays(other)
    assert set(one) == set(other)
    for name, value in one.items():
        assert value.tobytes() == other[name].tobytes(), name
