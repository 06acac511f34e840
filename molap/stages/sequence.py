"""Train the shared network on another task: by DNI, or without protection (Duncker et al. 2020; A.2, A.2.3)."""

import jax
import numpy as np
from jaxtyping import Array, Float

from molap.config.dni import MethodSettings
from molap.config.network import RecurrentInit
from molap.config.training import RecurrentPhaseSettings
from molap.jobs.job import Job, run_job
from molap.jobs.memory import release_memory
from molap.networks.masks import Trainable, all_weights
from molap.networks.rnn import Params, from_arrays, run, select_network, stack_networks, to_arrays
from molap.networks.shared import Layout, add_channels, all_inputs, channels_of, new_network, view
from molap.randomness import named_key
from molap.stages.training_job import TrainingSettings, note_counts, task_batches, train_networks
from molap.storage.files import load_arrays, read_json, save_arrays
from molap.tasks.batch import draw_trials
from molap.tasks.registry import Task, load_tasks
from molap.training.dni import (
    Memory,
    Projections,
    empty_memory,
    grow_memory,
    project_updates,
    projections,
    remember_task,
)
from molap.training.loop import Protection
from molap.training.objectives import task_objective


class Settings(TrainingSettings):
    """Settings that a task of the sequence depends on, besides the network and the memory of the previous tasks."""

    phase: RecurrentPhaseSettings
    task: str
    before: tuple[str, ...]
    rule: bool
    n_units: int
    gain: float
    recurrent_init: RecurrentInit
    method: MethodSettings | None
    """None means no protection."""


def work(job: Job[Settings]) -> None:
    """Train all weights on the task; then measure and store its covariances."""
    s = job.settings
    if "same" in job.inputs:
        _take_over(job)
        return
    tasks = load_tasks(s.trials.modules)
    task, old = tasks[s.task], Layout()
    for name in s.before:
        old = old.with_task(tasks[name], s.rule)
    layout = old.with_task(task, s.rule)
    networks, memories = _before(job, old)
    more = len(layout.inputs) - len(old.inputs), len(layout.outputs) - len(old.outputs)
    memories = [grow_memory(memory, len(old.inputs), *more) for memory in memories]
    grown = [add_channels(n, old, task, s.rule, seed, s.init) for n, seed in zip(networks, s.seeds, strict=True)]
    params = stack_networks(grown)
    trainable, protection = all_weights(grown[0]), None
    if s.method and s.before:
        found = [projections(memory, len(layout.inputs), s.method.alpha) for memory in memories]
        trainable, protection = protected(grown[0], found, s.method)
    trained = train_networks(
        job,
        params,
        trainable,
        task_batches(task, s),
        task.name,
        task_objective(s.phase, s.state_noise, lambda network: view(network, layout, task)),
        protection,
    )
    _note_counts(job, grown[0], layout, task)
    arrays = to_arrays(trained) | {"input_names": np.array(layout.inputs), "output_names": np.array(layout.outputs)}
    for name in (*s.before, s.task):
        arrays |= channels_of(layout, tasks[name])
    if s.method:
        release_memory()
        memories = [
            _remembered(memory, select_network(trained, i), layout, task, seed, s.method, s)
            for i, (memory, seed) in enumerate(zip(memories, s.seeds, strict=True))
        ]
        for name in ("z", "wz", "y"):
            arrays[f"memory_{name}"] = np.stack([getattr(memory, name) for memory in memories])
    save_arrays(job.outputs["arrays"], job.provenance, seeds=np.array(s.seeds), **arrays)


def _take_over(job: Job[Settings]) -> None:
    """Write networks that were trained identically by another job, without their memory."""
    record = read_json(job.inputs["record"])
    job.metrics, job.curves, job.better = (record[name] for name in ("metrics", "curves", "better"))
    arrays = load_arrays(job.inputs["same"])
    kept = {name: array for name, array in arrays.items() if not name.startswith("memory_")}
    save_arrays(job.outputs["checkpoints"], job.provenance, **load_arrays(job.inputs["checkpoints"]))
    save_arrays(job.outputs["arrays"], job.provenance, **kept)


def _before(job: Job[Settings], layout: Layout) -> tuple[list[Params], list[Memory]]:
    """Return the networks and memories after the previous tasks; before the first task, new ones."""
    s = job.settings
    if not s.before:
        networks = [new_network(seed, s.n_units, s.gain, s.init, s.recurrent_init) for seed in s.seeds]
        return networks, [empty_memory(0, s.n_units, 0, s.init.biases)] * len(s.seeds)
    arrays = load_arrays(job.inputs["network"])
    params = from_arrays(arrays)
    networks = [select_network(params, i) for i in range(len(s.seeds))]
    if not s.method:
        sizes = len(layout.inputs), s.n_units, len(layout.outputs)
        return networks, [empty_memory(*sizes, s.init.biases)] * len(s.seeds)
    return networks, [
        Memory(len(s.before), *(arrays[f"memory_{name}"][i] for name in ("z", "wz", "y"))) for i in range(len(s.seeds))
    ]


def protected(network: Params, found: list[Projections], method: MethodSettings) -> tuple[Trainable, Protection]:
    """Return the weights that may change in networks with previous tasks, and how these tasks are protected."""
    trainable = all_weights(network)
    if method.projection == "update" and network.h0 is not None:
        trainable = trainable._replace(h0=False)  # nothing would protect the previous tasks from its change
    stacked = Projections(*(np.stack(matrices) for matrices in zip(*found, strict=True)))
    return trainable, Protection(project_updates, stacked, method.projection == "gradient")


def _note_counts(job: Job[Settings], network: Params, layout: Layout, task: Task) -> None:
    """Note counts of weights; the trained ones are those that the task's loss reaches.

    The projection may also change columns of other tasks.
    """
    own = view(network, layout, task)
    note_counts(job, own, all_weights(own))
    trained = {name: job.metrics[name] for name in ("n_trained", "n_updates")}
    note_counts(job, network, all_weights(network))
    job.metrics |= trained


def _remembered(
    memory: Memory, network: Params, layout: Layout, task: Task, seed: int, method: MethodSettings, s: Settings
) -> Memory:
    inputs = measured_inputs(task, seed, method, s)
    rates = np.asarray(_rates(view(network, layout, task), inputs))
    return memory_after(memory, network, layout, task, inputs, rates, method)


@jax.jit
def _rates(network: Params, inputs) -> Float[Array, "time trial unit"]:
    return run(network, inputs)[1]


def measured_inputs(
    task: Task, seed: int, method: MethodSettings, s: TrainingSettings
) -> Float[Array | np.ndarray, "time trial channel"]:
    """Draw the trials on which the covariances of a task are measured."""
    key = named_key(s.data_seed, "covariance", task.name, seed)
    return draw_trials(task, key, method.covariance_trials, s.trials).inputs


def memory_after(
    memory: Memory,
    network: Params,
    layout: Layout,
    task: Task,
    inputs: Float[Array | np.ndarray, "time trial channel"],
    rates: Float[np.ndarray, "time trial unit"],
    method: MethodSettings,
) -> Memory:
    """Return the memory after a task, from the rates of the trained network on trials of the task."""
    own = np.isin(layout.outputs, task.outputs)  # the other outputs carry nothing that needs protection
    outputs = rates @ np.asarray(network.w_out).T
    weights = [np.asarray(network.w_in), np.asarray(network.w_rec)]
    if network.b_rec is not None:
        outputs = outputs + np.asarray(network.b_out)
        weights.append(np.asarray(network.b_rec)[:, None])
    return remember_task(
        memory,
        np.asarray(all_inputs(layout, task, np.asarray(inputs))),
        rates,
        outputs * own,
        np.concatenate(weights, axis=1),
        start=None if network.h0 is None else np.asarray(network.h0),
        lag=2 if method.state == "lagged" else 1,
        counter_offset=int(method.counter == "one_too_high"),
    )


if __name__ == "__main__":
    run_job("sequence", Settings, work)
