"""The recurrent network (Eq. 1): its parameters, their initialisation, and a run with a gradient of our own."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import CustomVJPPrimal, SymbolicZero
from jaxtyping import Array, Float, Key

from molap.config.network import InitSettings
from molap.networks.products import product
from molap.randomness import named_key, normal


class Params(NamedTuple):
    """The weights of a network; biases and initial state are absent (None) in the paper's text."""

    w_in: Float[Array | np.ndarray, "unit channel"]
    w_rec: Float[Array | np.ndarray, "unit unit"]
    """Row: receiving unit; column: sending unit."""
    w_out: Float[Array | np.ndarray, "output unit"]
    b_rec: Float[Array | np.ndarray, " unit"] | None = None
    b_out: Float[Array | np.ndarray, " output"] | None = None
    h0: Float[Array | np.ndarray, " unit"] | None = None


def draw_w_rec(
    seed: int,
    n_units: int,
    gain: float,
    inter_module: str = "random",
    n_modules: int = 1,
    recurrent_init: str = "normal",
) -> Float[np.ndarray, "unit unit"]:
    """Draw W_rec from N(0, g²/N) (A.2.3), or as g times a random orthogonal matrix.

    With `inter_module="zero"`, the weights between modules are set to zero.

    The orthogonal matrix (Saxe et al. 2014, arXiv 1312.6120) is Q of Z = QR with Z standard normal, its columns
    multiplied by the signs of R's diagonal; otherwise Q would not be uniform over all rotations and reflections
    (Mezzadri 2007, arXiv math-ph/0609050). Setting weights between modules to zero makes it no longer orthogonal.
    """
    drawn = np.asarray(normal(named_key(seed, "w_rec"), (n_units, n_units)))
    if recurrent_init == "orthogonal":
        q, r = np.linalg.qr(drawn)
        w_rec = gain * q * np.sign(np.diagonal(r))
    else:
        w_rec = gain / math.sqrt(n_units) * drawn
    if inter_module == "zero":
        of_module = np.arange(n_units) // (n_units // n_modules)
        # A product would give negative zeros, which do not stay bit-identical under an update of 0.
        w_rec = np.where(of_module[:, None] == of_module[None, :], w_rec, np.float32(0))
    return w_rec


def draw_b_rec(seed: int, n_units: int, gain: float) -> Float[np.ndarray, " unit"]:
    """Draw the released code's recurrent biases: one more row of its recurrent matrix, g/√(N + 1) times a normal."""
    return gain / math.sqrt(n_units + 1) * np.asarray(normal(named_key(seed, "b_rec"), (n_units,)))


def readout_variance(rule: str, n_units: int, n_outputs: int) -> float:
    """Return the variance of the initial readout weights and biases, for a value of `network.readout_init`.

    1/(N + 1) is the released code's, 1/N_out the text's (A.2.3); with 1/N² the outputs start at order 1/√N, in the
    regime that learns features (arXiv 2307.07654).
    """
    variances = {"n_units": 1 / (n_units + 1), "n_outputs": 1 / n_outputs, "n_units_squared": 1 / n_units**2, "zero": 0}
    return float(variances[rule])


def with_variance(drawn: Float[np.ndarray, "..."], variance: float) -> Float[np.ndarray, "..."]:
    """Scale standard normal draws; a variance of 0 gives positive zeros, which an update of 0 leaves unchanged."""
    return drawn * math.sqrt(variance) if variance else np.zeros_like(drawn)


def draw_params(
    seed: int,
    w_rec: Float[Array | np.ndarray, "unit unit"],
    n_inputs: int,
    n_outputs: int,
    label: str,
    settings: InitSettings,
    b_rec: Float[np.ndarray, " unit"] | None = None,
) -> Params:
    """Draw input and readout weights for a given W_rec.

    W_in ~ N(0, 1/N_in) (A.2.3); `readout_variance` gives the variance of W_out. With `settings.biases`, the readout
    biases (one more row of the readout) and the initial state (standard normal) of the released code are drawn as well;
    the recurrent biases are given. `label` names the random stream: a task, or the pre-training. With
    `settings.keys == "shared"`, the initial state is drawn with the key of W_in, as in the released code.
    """
    n_units = w_rec.shape[0]

    def draw(name: str, *shape: int) -> Float[np.ndarray, "..."]:
        shared = settings.keys == "shared" and name == "h0"
        return np.asarray(normal(named_key(seed, label, "w_in" if shared else name), shape))

    variance = readout_variance(settings.readout_init, n_units, n_outputs)
    params = Params(
        w_in=draw("w_in", n_units, n_inputs) / math.sqrt(n_inputs),
        w_rec=w_rec,
        w_out=with_variance(draw("w_out", n_outputs, n_units), variance),
    )
    if settings.biases:
        b_out = with_variance(draw("b_out", n_outputs), variance)
        params = params._replace(b_rec=b_rec, b_out=b_out, h0=draw("h0", n_units))
    return params


def run(
    params: Params,
    inputs: Float[Array | np.ndarray, "time trial channel"],
    noise: Float[Array | np.ndarray, "time trial unit"] | None = None,
) -> tuple[Float[Array, "time trial output"], Float[Array, "time trial unit"]]:
    """Return the outputs y(t) = W_out h(t) and rates h(t) of a network driven by `inputs` (Eq. 1).

    h(t) already contains x(t), as in the released code; the index in Eq. 1 is one step later, which only relabels the
    steps. `noise` is η of Eq. 1. Biases and the initial state are used if the network has them.
    """

    def step(h, now):
        h = _next(params, h, *now)
        return h, (product(h, params.w_out.T), h)

    _, (outputs, h) = jax.lax.scan(step, _start(params, inputs), (inputs, noise))
    return (outputs if params.b_out is None else outputs + params.b_out), h


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def respond(
    params: Params,
    inputs: Float[Array | np.ndarray, "time trial channel"],
    noise: Float[Array | np.ndarray, "time trial unit"] | None = None,
    block: slice | None = None,
) -> tuple[Float[Array, "time trial output"], Float[Array, ""]]:
    """Return the outputs of `run` and the mean squared rate, for training.

    The gradient is our own. With δ(t) the gradient of the loss with respect to the argument of tanh,

        δ(t) = (W_outᵀ g_y(t) + 2 g_a h(t) / size + W_recᵀ δ(t + 1)) ∘ (1 − h(t)²),
        ∂W_rec = Σ_t δ(t) h(t − 1)ᵀ,  ∂W_in = Σ_t δ(t) x(t)ᵀ,  ∂W_out = Σ_t g_y(t) h(t)ᵀ,

    the forward scan keeps h(t − 1), and the backward scan carries h(t). ∂W_rec is summed over a few steps at a time, in
    products that are large enough to be fast and small enough to stay in the cache. Gradients that are not requested
    (of W_rec in a frozen network, of the inputs) are not computed. With `block`, only the weights among these units
    have a gradient in W_rec, and the gradient of the others is 0; pre-training needs no more.
    """
    return _forward(params, inputs, noise)[0]


def _forward(params: Params, inputs, noise):
    start = _start(params, inputs)

    def step(h, now):
        after = _next(params, h, *now)
        return after, (product(after, params.w_out.T), h)

    last, (outputs, before) = jax.lax.scan(step, start, (inputs, noise))
    outputs = outputs if params.b_out is None else outputs + params.b_out
    squares = jnp.sum(before * before) + jnp.sum(last * last) - jnp.sum(start * start)
    return (outputs, squares / before.size), (params, inputs, noise, before, last)


def _forward_of_traced(params, inputs, noise, block):
    """Run forward; note for W_rec, inputs and noise whether a gradient is requested (an empty tuple) or not (None)."""
    del block
    traced = (params, inputs, noise)
    values = jax.tree.map(lambda given: given.value, traced, is_leaf=_is_traced)
    found, residuals = _forward(*values)
    asked = tuple(() if given is not None and given.perturbed else None for given in (params.w_rec, inputs, noise))
    return found, (*residuals, asked)


def _is_traced(value) -> bool:
    return isinstance(value, CustomVJPPrimal)


def _backward(block, residuals, gradients):
    params, inputs, _, before, last, (of_w_rec, of_inputs, of_noise) = residuals
    g_outputs, g_activity = (jnp.zeros(g.shape, g.dtype) if isinstance(g, SymbolicZero) else g for g in gradients)
    g_activity = 2 * g_activity / before.size
    biased = params.b_rec is not None
    n_steps, n_trials, n_units = before.shape
    block = block or slice(0, n_units)
    n_own = block.stop - block.start

    def step(carry, now):
        carry, h, sums = carry
        g_y, h_before, x = now
        delta = (_spread(g_y, params.w_out.T) + g_activity * h + carry) * (1 - h * h)
        further = (product(x.T, delta), product(g_y.T, h), delta.sum(axis=0) if biased else None)
        kept = delta if (of_w_rec, of_inputs, of_noise) != (None, None, None) else None
        return (product(delta, params.w_rec), h_before, jax.tree.map(jnp.add, sums, further)), kept

    def steps(carry, now):
        carry, g_rec = carry
        carry, delta = jax.lax.scan(step, carry, now, reverse=True)
        if of_w_rec is not None:
            received, sent = (values[..., block].reshape(-1, n_own) for values in (delta, now[1]))
            g_rec = g_rec + product(received.T, sent)
        return (carry, g_rec), None if (of_inputs, of_noise) == (None, None) else delta

    together = _steps_together(n_steps) if of_w_rec is not None else n_steps
    blocks = jax.tree.map(lambda v: v.reshape(-1, together, *v.shape[1:]), (g_outputs, before, inputs))
    sums = jax.tree.map(jnp.zeros_like, (params.w_in.T, params.w_out, params.b_rec))
    zeros = jnp.zeros((n_own, n_own), before.dtype) if of_w_rec is not None else None
    start = ((jnp.zeros_like(last), last, sums), zeros)
    ((carry, _, (g_in, g_out, g_bias)), g_rec), delta = jax.lax.scan(steps, start, blocks, reverse=True)
    if g_rec is not None and n_own < n_units:
        g_rec = jnp.zeros_like(params.w_rec).at[block, block].set(g_rec)
    found = Params(g_in.T, cast(Array, g_rec), g_out, g_bias)  # None: no gradient is requested
    if params.b_out is not None:
        found = found._replace(b_out=g_outputs.sum(axis=(0, 1)))
    if params.h0 is not None:
        found = found._replace(h0=carry.sum(axis=0))
    if delta is not None:
        delta = delta.reshape(n_steps, n_trials, n_units)
    return found, None if of_inputs is None else product(delta, params.w_in), None if of_noise is None else delta


respond.defvjp(_forward_of_traced, _backward, symbolic_zeros=True)


def _steps_together(n_steps: int) -> int:
    """Return the number of steps over which one product sums ∂W_rec: the largest divisor of `n_steps` up to 5."""
    return next(n for n in range(5, 0, -1) if n_steps % n == 0)


def _spread(
    signals: Float[Array, "trial channel"], weights: Float[Array | np.ndarray, "unit channel"]
) -> Float[Array, "trial unit"]:
    """Return signals · weightsᵀ, channel by channel: XLA fuses it with what follows, and stores no product."""
    found = sum(signals[:, k, None] * weights[:, k] for k in range(weights.shape[1]))
    return cast(Array, found)  # 0 if there were no channel


def _next(params: Params, h, x, eta) -> Float[Array, "trial unit"]:
    """Return the rates one step later."""
    drive = _spread(x, params.w_in)
    for further in (params.b_rec, eta):
        drive = drive if further is None else drive + further
    return jnp.tanh(drive + product(h, params.w_rec.T))


def _start(params: Params, inputs) -> Float[Array, "trial unit"]:
    """Return the rates before the first step, for every trial."""
    shape = inputs.shape[1], params.w_rec.shape[0]
    return jnp.zeros(shape, params.w_rec.dtype) if params.h0 is None else jnp.broadcast_to(params.h0, shape)


def draw_state_noise(
    key: Key[Array, ""], std: float, n_trials: int, n_steps: int, n_units: int
) -> Float[Array | np.ndarray, "time trial unit"] | None:
    """Draw η of Eq. 1, independent over steps, trials and units; return None if `std` is 0."""
    return std * normal(key, (n_steps, n_trials, n_units)) if std > 0 else None


def select_network(params: Params, index: int) -> Params:
    """Select one of several networks by its index along the seed axis."""
    return jax.tree.map(lambda values: values[index], params)


def stack_networks(networks: list[Params]) -> Params:
    """Stack networks into one, with a leading axis of seeds."""

    def stack(*values):
        return (np if all(isinstance(value, np.ndarray) for value in values) else jnp).stack(values)

    return jax.tree.map(stack, *networks)


def to_arrays(params: Params) -> dict[str, np.ndarray]:
    """Return by name the weights that the network has."""
    return {name: np.asarray(value) for name, value in params._asdict().items() if value is not None}


def from_arrays(arrays: dict[str, np.ndarray]) -> Params:
    """Invert `to_arrays`; other arrays are ignored."""
    return Params(**{name: np.asarray(arrays[name]) for name in Params._fields if name in arrays})


def over_seeds(function: Callable) -> Callable:
    """Map a function over the leading axis of its arguments: in parallel on a GPU, one after the other on a CPU.

    On one CPU thread batching gains nothing, and when seeds run one after the other, the result of each is identical to
    the bit whichever seeds share the job.
    """
    if jax.default_backend() != "cpu":
        return jax.vmap(function)
    return lambda *arguments: jax.lax.map(lambda row: function(*row), arguments)
