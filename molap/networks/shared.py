"""One network for all tasks: the channels that each task uses, and the network as that task sees it.

Channels with the same name are the same channel. A rule input (one per task, with value 1 throughout the trials of that
task) acts as a bias on those trials; seen from one task, a shared network is therefore a network with that task's own
channels. A channel is added with the first task that uses it, so that nothing learned before depends on later tasks.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from molap.config.network import InitSettings
from molap.networks.rnn import Params, draw_b_rec, draw_w_rec, from_arrays, readout_variance, with_variance
from molap.randomness import named_key, normal
from molap.tasks.task import Task


class Layout(NamedTuple):
    """The names of the network's channels, in order; `rule:mem_pro` is a rule input."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def with_task(self, task: Task, rule: bool) -> "Layout":
        """Return the layout with the channels of another task added."""
        inputs = (*task.inputs, *([f"rule:{task.name}"] if rule else []))
        return Layout(
            self.inputs + tuple(name for name in inputs if name not in self.inputs),
            self.outputs + tuple(name for name in task.outputs if name not in self.outputs),
        )


def new_network(seed: int, n_units: int, gain: float, settings: InitSettings, recurrent_init: str = "normal") -> Params:
    """Draw a network without channels: W_rec of `draw_w_rec`, and with biases also b_rec and h0 (released code)."""
    w_rec = draw_w_rec(seed, n_units, gain, recurrent_init=recurrent_init)
    empty = Params(w_in=np.zeros((n_units, 0), np.float32), w_rec=w_rec, w_out=np.zeros((0, n_units), np.float32))
    if not settings.biases:
        return empty
    return empty._replace(
        b_rec=draw_b_rec(seed, n_units, gain), b_out=np.zeros(0, np.float32), h0=_normal(seed, "h0", "", n_units)
    )


def add_channels(params: Params, old: Layout, task: Task, rule: bool, seed: int, settings: InitSettings) -> Params:
    """Add to a network the channels that a new task needs.

    The weights of each channel are drawn by the channel's name, from the distributions of
    `molap.networks.rnn.draw_params`, with N_in and N_out of the task that adds the channel; a rule input is drawn like
    any other.
    """
    new = old.with_task(task, rule)
    n_units = params.w_rec.shape[0]
    variance = readout_variance(settings.readout_init, n_units, len(task.outputs))
    columns = [
        _normal(seed, "w_in", name, n_units) / math.sqrt(len(task.inputs)) for name in new.inputs[len(old.inputs) :]
    ]
    added = new.outputs[len(old.outputs) :]
    rows = [with_variance(_normal(seed, "w_out", name, n_units), variance) for name in added]
    if columns:
        params = params._replace(w_in=np.concatenate([params.w_in, np.stack(columns, axis=1)], axis=1))
    if rows:
        params = params._replace(w_out=np.concatenate([params.w_out, np.stack(rows)]))
    if added and params.b_out is not None:
        biases = [with_variance(_normal(seed, "b_out", name, 1), variance) for name in added]
        params = params._replace(b_out=np.concatenate([params.b_out, *biases]))
    return params


def view(params: Params, layout: Layout, task: Task) -> Params:
    """Return the network as a task sees it: with that task's channels, as the shared network acts on its trials."""
    return _select(params, *_places(layout, task))


def _places(layout: Layout, task: Task) -> tuple[list[int], list[int], int]:
    """Return the indices of a task's inputs, outputs and rule input among the network's channels; -1 without a rule."""
    rule = f"rule:{task.name}"
    return (
        [layout.inputs.index(name) for name in task.inputs],
        [layout.outputs.index(name) for name in task.outputs],
        layout.inputs.index(rule) if rule in layout.inputs else -1,
    )


def _select(params: Params, inputs, outputs, rule: int) -> Params:
    """Select channels by index; axes of network seeds may lead. The rule input's column, if any, becomes a bias."""
    inputs, outputs = np.asarray(inputs), np.asarray(outputs)
    b_rec = params.b_rec
    if rule >= 0:
        b_rec = params.w_in[..., rule] + (0 if b_rec is None else b_rec)
    return params._replace(
        w_in=params.w_in[..., inputs],
        w_out=params.w_out[..., outputs, :],
        b_rec=b_rec,
        b_out=None if params.b_out is None else params.b_out[..., outputs],
    )


def all_inputs(
    layout: Layout, task: Task, inputs: Float[Array | np.ndarray, "time trial channel"]
) -> Float[Array | np.ndarray, "time trial network_channel"]:
    """Place a task's inputs on the network's channels: 0 on the channels that it does not use, 1 on its rule input."""
    places, _, rule = _places(layout, task)
    if inputs.shape[-1] != len(places):
        raise ValueError(f"inputs: {inputs.shape[-1]} channels are not allowed; {task.name} has {len(places)}")
    nothing, always = np.zeros((*inputs.shape[:2], 1), inputs.dtype), np.ones((*inputs.shape[:2], 1), inputs.dtype)
    columns: list[Array | np.ndarray] = [nothing] * len(layout.inputs)
    for channel, place in enumerate(places):
        columns[place] = inputs[..., channel : channel + 1]
    if rule >= 0:
        columns[rule] = always
    stack = np.concatenate if isinstance(inputs, np.ndarray) else jnp.concatenate
    return stack(columns, axis=-1)


def channels_of(layout: Layout, task: Task) -> dict[str, np.ndarray]:
    """Return arrays that locate a task's channels, for files to hold with the weights and `task_network` to read."""
    names = (f"{kind}_{task.name}" for kind in ("inputs", "outputs", "rule"))
    return dict(zip(names, map(np.array, _places(layout, task)), strict=True))


def task_network(arrays: dict[str, np.ndarray], task: str) -> Params:
    """Return the network of a task from the arrays of a file; a shared network is returned as the task sees it."""
    params = from_arrays(arrays)
    if f"inputs_{task}" not in arrays:
        return params
    return _select(params, arrays[f"inputs_{task}"], arrays[f"outputs_{task}"], int(arrays[f"rule_{task}"]))


def _normal(seed: int, kind: str, name: str, *shape: int) -> Float[np.ndarray, "..."]:
    return np.asarray(normal(named_key(seed, "shared", kind, name), shape))
