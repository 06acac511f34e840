"""Other people's recurrent networks, for `benchmarks/training_step.py`: the same task, batch, loss and optimiser.

Each function returns a callable that trains some steps on one given batch and returns the trained weights, and how many
steps. A library that is not installed raises ImportError: `pip install flax torch` brings both.
"""

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

from molap.networks.rnn import Params

RATE = 1e-3


def floor(params: Params, batch, all_trained: bool) -> tuple[Callable[[], object], int]:
    """Multiply the matrices of one step in NumPy's sgemm, and nothing else: two products per step of the trial, and one
    large product for the gradient of W_rec where all weights are trained."""
    n_steps, n_trials, _ = batch[0].shape
    generator = np.random.default_rng(0)
    w = np.asarray(params.w_rec)
    h = generator.standard_normal((n_trials, len(w)), np.float32)
    states = generator.standard_normal((n_steps * n_trials, len(w)), np.float32)

    def products():
        for _ in range(2 * n_steps):
            h @ w
        if all_trained:
            states.T @ states

    return products, 1


def scanned(run: Callable, params: Params, batch, all_trained: bool, chunk: int) -> tuple[Callable[[], object], int]:
    """Train with JAX, many steps in one program; `run` gives outputs and mean squared rate."""
    names = ("w_in", "w_out", *(("w_rec",) * all_trained))
    trained = {name: jnp.asarray(getattr(params, name)) for name in names}
    optimiser = optax.adam(RATE)

    def objective(trained, inputs, targets):
        outputs, activity = run(params._replace(**trained), inputs)
        return jnp.mean((outputs - targets) ** 2) + 1e-7 * activity

    @jax.jit
    def steps(trained, state, inputs, targets):
        def step(carry, _):
            trained, state = carry
            value, gradient = jax.value_and_grad(objective)(trained, inputs, targets)
            updates, state = optimiser.update(gradient, state)
            return (optax.apply_updates(trained, updates), state), value

        return jax.lax.scan(step, (trained, state), length=chunk)

    state = optimiser.init(trained)
    return lambda: jax.block_until_ready(steps(trained, state, *batch))[0][0], chunk


def plain(params: Params, inputs):
    """Run the network with the gradient that JAX derives through the scan."""

    def step(h, x):
        h = jnp.tanh(x @ params.w_in.T + h @ params.w_rec.T)
        return h, h

    _, h = jax.lax.scan(step, jnp.zeros((inputs.shape[1], len(params.w_rec))), inputs)
    return h @ params.w_out.T, jnp.mean(h**2)


def flax_rnn(n_units: int) -> Callable:
    """Return flax's `nn.RNN` with its `SimpleCell`, as a network of ours sees it."""
    from flax import linen

    rnn = linen.RNN(linen.SimpleCell(n_units, activation_fn=jnp.tanh), time_major=True)

    def run(params: Params, inputs):
        cell = {"h": {"kernel": params.w_rec.T}, "i": {"kernel": params.w_in.T, "bias": jnp.zeros(n_units)}}
        h = rnn.apply({"params": {"cell": cell}}, inputs)
        return h @ params.w_out.T, jnp.mean(h**2)

    return run


def numpy_by_hand(params: Params, batch, all_trained: bool) -> tuple[Callable[[], object], int]:
    """Train in NumPy alone: both passes and Adam written out."""
    inputs, targets = (np.asarray(values) for values in batch)
    weights = {name: np.array(getattr(params, name)) for name in ("w_in", "w_rec", "w_out")}
    trained = [name for name in weights if all_trained or name != "w_rec"]
    moments = {name: (np.zeros_like(weights[name]), np.zeros_like(weights[name])) for name in trained}
    n_steps, n_trials, _ = inputs.shape
    h = np.zeros((n_steps + 1, n_trials, len(weights["w_rec"])), np.float32)
    delta, taken = np.empty_like(h[1:]), itertools.count(1)

    def step():
        w_in, w_rec, w_out = weights.values()
        for t in range(n_steps):
            np.tanh(inputs[t] @ w_in.T + h[t] @ w_rec.T, out=h[t + 1])
        error = (h[1:] @ w_out.T - targets) * np.float32(2 / targets.size)
        carry = np.zeros_like(h[0])
        for t in reversed(range(n_steps)):
            delta[t] = (error[t] @ w_out + np.float32(2e-7 / h[1:].size) * h[t + 1] + carry) * (1 - h[t + 1] ** 2)
            carry = delta[t] @ w_rec
        flat = delta.reshape(-1, delta.shape[-1])
        gradients = {
            "w_in": flat.T @ inputs.reshape(len(flat), -1),
            "w_out": error.reshape(len(flat), -1).T @ h[1:].reshape(len(flat), -1),
        }
        if all_trained:
            gradients["w_rec"] = flat.T @ h[:-1].reshape(len(flat), -1)
        t = next(taken)
        for name in trained:
            first, second = moments[name]
            first += 0.1 * (gradients[name] - first)
            second += 0.001 * (gradients[name] ** 2 - second)
            weights[name] -= RATE * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        return {name: weights[name] for name in trained}

    return step, 1


def torch_rnn(params: Params, batch, all_trained: bool) -> tuple[Callable[[], object], int]:
    """Train PyTorch's `nn.RNN` with its Adam, on one thread."""
    import torch

    torch.set_num_threads(1)
    inputs, targets = (torch.from_numpy(np.array(values)) for values in batch)
    rnn = torch.nn.RNN(inputs.shape[2], len(params.w_rec), nonlinearity="tanh", bias=False)
    readout = torch.nn.Linear(len(params.w_rec), targets.shape[2], bias=False)
    with torch.no_grad():
        for tensor, value in (
            (rnn.weight_ih_l0, params.w_in),
            (rnn.weight_hh_l0, params.w_rec),
            (readout.weight, params.w_out),
        ):
            tensor.copy_(torch.from_numpy(np.array(value)))
    rnn.weight_hh_l0.requires_grad_(all_trained)
    optimiser = torch.optim.Adam([p for p in (*rnn.parameters(), *readout.parameters()) if p.requires_grad], lr=RATE)

    def step():
        optimiser.zero_grad(set_to_none=True)
        h, _ = rnn(inputs)
        loss = ((readout(h) - targets) ** 2).mean() + 1e-7 * (h**2).mean()
        loss.backward()
        optimiser.step()
        names = {"w_in": rnn.weight_ih_l0, "w_rec": rnn.weight_hh_l0, "w_out": readout.weight}
        return {name: tensor.detach().numpy() for name, tensor in names.items() if tensor.requires_grad}

    return step, 1
