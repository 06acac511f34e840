"""The recurrent network (Eq. 1): parameters, initialisation, and the run with its own gradient."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from molap.config.network import InitSettings
from molap.randomness import named_key


class Params(NamedTuple):
    """A network's weights; biases and initial state are absent (None) in the paper's text."""

    w_in: Float[Array, "unit channel"]
    w_rec: Float[Array, "unit unit"]
    """Row: receiving unit; column: sending unit."""
    w_out: Float[Array, "output unit"]
    b_rec: Float[Array, " unit"] | None = None
    b_out: Float[Array, " output"] | None = None
    h0: Float[Array, " unit"] | None = None


def draw_w_rec(
    seed: int, n_units: int, gain: float, inter_module: str = "random", n_modules: int = 1
) -> Float[Array, "unit unit"]:
    """W_rec from N(0, g²/N) (A.2.3); with `inter_module="zero"` only within modules."""
    w_rec = gain / np.sqrt(n_units) * jax.random.normal(named_key(seed, "w_rec"), (n_units, n_units))
    if inter_module == "zero":
        of_module = np.arange(n_units) // (n_units // n_modules)
        w_rec = w_rec * (of_module[:, None] == of_module[None, :])
    return w_rec


def draw_b_rec(seed: int, n_units: int, gain: float) -> Float[Array, " unit"]:
    """Recurrent biases of the released code: one more row of its recurrent matrix, g/√(N + 1) times a normal."""
    return gain / np.sqrt(n_units + 1) * jax.random.normal(named_key(seed, "b_rec"), (n_units,))


def draw_params(
    seed: int,
    w_rec: Float[Array, "unit unit"],
    n_inputs: int,
    n_outputs: int,
    label: str,
    settings: InitSettings,
    b_rec: Float[Array, " unit"] | None = None,
) -> Params:
    """Input and readout weights around a given W_rec.

    W_in ~ N(0, 1/N_in), W_out ~ N(0, 1/N_out) (A.2.3) or N(0, 1/(N + 1)) (released code). With `settings.biases`
    also the released code's readout biases (one more row of the readout) and initial state (standard normal);
    recurrent biases are given. `label` names the random stream: a task, or the pre-training. With
    `settings.keys == "shared"` the initial state is drawn with the key of W_in, as in the released code.
    """
    n_units = w_rec.shape[0]

    def normal(name: str, *shape: int):
        shared = settings.keys == "shared" and name == "h0"
        return jax.random.normal(named_key(seed, label, "w_in" if shared else name), shape)

    readout_variance = 1 / n_outputs if settings.readout_init == "n_outputs" else 1 / (n_units + 1)
    params = Params(
        w_in=normal("w_in", n_units, n_inputs) / np.sqrt(n_inputs),
        w_rec=w_rec,
        w_out=normal("w_out", n_outputs, n_units) * np.sqrt(readout_variance),
    )
    if settings.biases:
        b_out = normal("b_out", n_outputs) * np.sqrt(readout_variance)
        params = params._replace(b_rec=b_rec, b_out=b_out, h0=normal("h0", n_units))
    return params


@jax.custom_vjp
def rates(
    w_rec: Float[Array, "unit unit"], drive: Float[Array, "time trial unit"], start: Float[Array, " unit"]
) -> Float[Array, "time trial unit"]:
    """Rates h(t) = tanh(W_rec h(t−1) + drive(t)), from h(−1) = `start`.

    The gradient is our own: the forward pass keeps the rates, the backward scan only propagates δ, and the
    gradient of W_rec is one product Σ_t δ(t) h(t−1)ᵀ after it, instead of one small product per step.
    """
    return _rates_forward(w_rec, drive, start)[0]


def _rates_forward(w_rec, drive, start):
    def step(h, drive_t):
        h = jnp.tanh(drive_t + h @ w_rec.T)
        return h, h

    _, h = jax.lax.scan(step, jnp.broadcast_to(start, drive.shape[1:]), drive)
    return h, (w_rec, h, start)


def _rates_backward(residuals, g):
    w_rec, h, start = residuals

    def step(carry, inputs):
        g_t, h_t = inputs
        delta_t = (g_t + carry) * (1 - h_t * h_t)
        return delta_t @ w_rec, delta_t

    carry, delta = jax.lax.scan(step, jnp.zeros(h.shape[1:], h.dtype), (g, h), reverse=True)
    n_units = h.shape[-1]
    # Slices, not shifted copies: the copy would cost more than the product.
    g_rec = delta[1:].reshape(-1, n_units).T @ h[:-1].reshape(-1, n_units)
    g_rec += delta[0].sum(axis=0)[:, None] * start[None, :]
    return g_rec, delta, carry.sum(axis=0)


rates.defvjp(_rates_forward, _rates_backward)


def run(
    params: Params,
    inputs: Float[Array, "time trial channel"],
    noise: Float[Array, "time trial unit"] | None = None,
) -> tuple[Float[Array, "time trial output"], Float[Array, "time trial unit"]]:
    """Outputs y(t) = W_out h(t) and rates h(t) of a network driven by `inputs` (Eq. 1).

    h(t) already contains x(t), as in the released code; Eq. 1's index, one step later, is a relabelling.
    `noise` is η of Eq. 1. Biases and the initial state enter where the network has them.
    """
    drive = inputs @ params.w_in.T
    if params.b_rec is not None:
        drive = drive + params.b_rec
    if noise is not None:
        drive = drive + noise
    start = jnp.zeros(params.w_rec.shape[0], drive.dtype) if params.h0 is None else params.h0
    # Without the barrier XLA forms the input product anew in every step of the scan, at a third of the speed.
    h = rates(params.w_rec, jax.lax.optimization_barrier(drive), start)
    outputs = h @ params.w_out.T
    return (outputs if params.b_out is None else outputs + params.b_out), h


def draw_state_noise(
    key: Key[Array, ""], std: float, n_trials: int, n_steps: int, n_units: int
) -> Float[Array, "time trial unit"] | None:
    """η of Eq. 1, independent over steps, trials and units; None where `std` is 0."""
    return std * jax.random.normal(key, (n_steps, n_trials, n_units)) if std > 0 else None


def select_network(params: Params, place: int) -> Params:
    """One of several networks, by its place along the axis of seeds."""
    return jax.tree.map(lambda values: values[place], params)


def stack_networks(networks: list[Params]) -> Params:
    """Networks as one, with a leading axis of seeds."""
    return jax.tree.map(lambda *values: jnp.stack(values), *networks)


def to_arrays(params: Params) -> dict[str, np.ndarray]:
    """The weights that the network has, by name."""
    return {name: np.asarray(value) for name, value in params._asdict().items() if value is not None}


def from_arrays(arrays: dict[str, np.ndarray]) -> Params:
    """The inverse of `to_arrays`; other arrays are ignored."""
    return Params(**{name: jnp.asarray(arrays[name]) for name in Params._fields if name in arrays})
