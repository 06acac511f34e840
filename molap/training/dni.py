"""Dynamical non-interference: learning tasks in sequence without disturbing the previous ones.

Source: Duncker, Driscoll, Shenoy, Sahani, Sussillo, *Organizing recurrent network dynamics by task-computation to
enable continual learning* (NeurIPS 2020). With z(t) = [x(t); h(t−1)], W = [W_in W_rec], h(t) = tanh(W z(t)) and
y(t) = W_out h(t):

    after task k, over steps × trials, S(X) = XXᵀ / (n − 1):
        Σ_z = S(z),  Σ_wz = W Σ_z Wᵀ,  Σ_h = the recurrent block of Σ_z,  Σ_y = S(y),
        each averaged over tasks:  Σ⁽ᵏ⁾ = (k − 1)/k · Σ⁽ᵏ⁻¹⁾ + 1/k · Σ_k
    P(Σ) = α (Σ + α I)⁻¹
    from the second task on the optimiser's update U becomes  ΔW = P_wz U P_z,  ΔW_out = P_y U_out P_h.

A direction that previous tasks use heavily (variance ≫ α) is protected: its part of an update shrinks by
α / (α + variance). The projection must come after Adam, whose entrywise division would reintroduce the protected
directions. The running covariances form a `Memory`, updated once per task; the projections computed from it are the
state of the gradient transformation.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from molap.networks.products import product


class Memory(NamedTuple):
    """Covariances of the previous tasks: running averages over tasks, in float64.

    With biases, z and h have one more entry, the constant 1, at the end.
    """

    n_tasks: int
    z: Float[np.ndarray, "source source"]
    """Σ_z; its entries are the input channels, then the units (then the constant)."""
    wz: Float[np.ndarray, "unit unit"]
    y: Float[np.ndarray, "output output"]


class Projections(NamedTuple):
    """The projections P(Σ) of the four covariances: symmetric, with eigenvalues in (0, 1]."""

    wz: Float[Array | np.ndarray, "*seed unit unit"]
    z: Float[Array | np.ndarray, "*seed source source"]
    y: Float[Array | np.ndarray, "*seed output output"]
    h: Float[Array | np.ndarray, "*seed state state"]


def empty_memory(n_inputs: int, n_units: int, n_outputs: int, biases: bool = False) -> Memory:
    """Return the memory before the first task, which protects nothing."""
    n_sources = n_inputs + n_units + biases
    return Memory(0, np.zeros((n_sources, n_sources)), np.zeros((n_units, n_units)), np.zeros((n_outputs, n_outputs)))


def grow_memory(memory: Memory, n_inputs: int, more_inputs: int, more_outputs: int) -> Memory:
    """Add input channels after the first `n_inputs`, and outputs; the memory holds nothing about them."""
    z = np.insert(memory.z, [n_inputs] * more_inputs, 0.0, axis=0)
    z = np.insert(z, [n_inputs] * more_inputs, 0.0, axis=1)
    return memory._replace(z=z, y=np.pad(memory.y, (0, more_outputs)))


def second_moment(x: Float[np.ndarray, "*sample channel"]) -> Float[np.ndarray, "channel channel"]:
    """Return S(X) = XXᵀ / (n − 1) over all axes but the last, without centring, in float64."""
    flat = np.asarray(x, np.float64).reshape(-1, x.shape[-1])
    return flat.T @ flat / (len(flat) - 1)


def remember_task(
    memory: Memory,
    inputs: Float[np.ndarray, "time trial channel"],
    rates: Float[np.ndarray, "time trial unit"],
    outputs: Float[np.ndarray, "time trial output"],
    weights: Float[np.ndarray, "unit source"],
    start: Float[np.ndarray, " unit"] | None = None,
    lag: int = 1,
    counter_offset: int = 0,
) -> Memory:
    """Return the memory after one more task.

    Args:
        memory: the memory of the previous tasks.
        inputs: x, on trials of the task just learned.
        rates: h(t), which contains x(t).
        outputs: y.
        weights: W = [W_in W_rec], and the bias, if any, as the last column.
        start: h(−1); zero if None.
        lag: the state in z(t) is h(t − lag): W multiplies the state at lag 1; the released code uses 2.
        counter_offset: a number added to k; the released code adds 1, so that its empty start always keeps some weight.
    """
    z = second_moment(_sources(inputs, rates, weights.shape[1], start, lag))
    w = np.asarray(weights, np.float64)
    count = memory.n_tasks + 1 + counter_offset

    def average(old, new):
        return (count - 1) / count * old + new / count

    return Memory(
        memory.n_tasks + 1,
        average(memory.z, z),
        average(memory.wz, w @ z @ w.T),
        average(memory.y, second_moment(outputs)),
    )


def _sources(inputs, rates, n_sources: int, start, lag: int) -> Float[np.ndarray, "time trial source"]:
    """Return z(t): inputs, rates `lag` steps before, and 1 if there are biases; written once because it is large."""
    z = np.ones((*inputs.shape[:2], n_sources))
    z[..., : inputs.shape[-1]] = inputs
    state = z[..., inputs.shape[-1] :][..., : rates.shape[-1]]
    state[:lag] = 0 if start is None else start
    state[lag:] = rates[:-lag]
    return z


def projection(covariance: Float[np.ndarray, "n n"], alpha: float) -> Float[np.ndarray, "n n"]:
    """Return P(Σ) = α (Σ + α I)⁻¹ = I − V diag(λ / (λ + α)) Vᵀ with Σ = V diag(λ) Vᵀ; exactly I for infinite α."""
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 0)
    shrunk = np.zeros_like(values) if np.isinf(alpha) else values / (values + alpha)
    p = np.eye(len(covariance)) - (vectors * shrunk) @ vectors.T
    return (p + p.T) / 2


def projections(memory: Memory, n_inputs: int, alpha: float) -> Projections:
    """Return the projections that protect the tasks in memory; each takes one eigendecomposition per task."""
    matrices = (memory.wz, memory.z, memory.y, memory.z[n_inputs:, n_inputs:])
    return Projections(*(np.asarray(projection(matrix, alpha), np.float32) for matrix in matrices))


def project_updates(protect: Projections) -> optax.GradientTransformation:
    """Return the gradient transformation ΔW = P_wz U P_z and ΔW_out = P_y U_out P_h.

    Put it last in a chain. Updates are a dictionary with `w_in` (unit, input), `w_rec` (unit, unit), `w_out`
    (output, unit), and `b_rec` and `b_out` if the projections have an entry for the constant; an initial state `h0` is
    passed through unchanged. The projections are the state of the transformation: `update` reads them from the state,
    not from `protect`.
    """

    def update(updates, state: Projections, params=None):
        del params
        return _project(updates, state), state

    return optax.GradientTransformation(lambda params: protect, update)


def _project(updates: dict[str, Array], p: Projections) -> dict[str, Array]:
    n_inputs, n_units = updates["w_in"].shape[1], updates["w_rec"].shape[0]
    of_w, of_out = [updates["w_in"], updates["w_rec"]], [updates["w_out"]]
    if "b_rec" in updates:
        of_w.append(updates["b_rec"][:, None])
        of_out.append(updates["b_out"][:, None])
    w = product(product(p.wz, jnp.concatenate(of_w, axis=1)), p.z)
    out = product(product(p.y, jnp.concatenate(of_out, axis=1)), p.h)
    projected = {"w_in": w[:, :n_inputs], "w_rec": w[:, n_inputs : n_inputs + n_units], "w_out": out[:, :n_units]}
    if "b_rec" in updates:
        projected |= {"b_rec": w[:, -1], "b_out": out[:, -1]}
    return updates | projected
