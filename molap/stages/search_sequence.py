"""Train every candidate of a search by DNI on the tasks in sequence, and score each network on all tasks."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from molap.config.dni import MethodSettings
from molap.config.evaluation import TaskCriterion
from molap.evaluation.criterion import rule_of
from molap.evaluation.validation import scores
from molap.jobs.job import Job, run_job
from molap.networks.masks import all_weights
from molap.networks.rnn import Params, over_seeds, run, select_network, stack_networks
from molap.networks.shared import Layout, add_channels, new_network, view
from molap.stages.search import KindSettings, batch_keys, batches_of_size, write_rows
from molap.stages.sequence import measured_inputs, memory_after, protected
from molap.stages.training_job import log_step
from molap.storage.files import load_arrays
from molap.tasks.registry import Task, load_tasks
from molap.training.dni import Memory, Projections, empty_memory, grow_memory, projections
from molap.training.loop import Recipe
from molap.training.objectives import task_objective
from molap.training.search import Trial, init_of, train_candidates, trials

AT_ONCE = 16
"""Largest number of networks whose rates a GPU's host holds in memory while their covariances are measured."""


class Settings(KindSettings):
    """Settings that the search for DNI depends on, besides validation trials."""

    tasks: tuple[str, ...]
    rule: bool
    method: MethodSettings
    criterion: TaskCriterion


class Learners(NamedTuple):
    """The networks of the search after some tasks, and their memories of these tasks."""

    layout: Layout
    params: list[Params]
    memories: list[Memory]


def work(job: Job[Settings]) -> None:
    """Write one row for every candidate, network seed and task: scores at the end, and right after the task."""
    s = job.settings
    tasks = [load_tasks(s.trials.modules)[name] for name in s.tasks]
    networks = trials(s.candidates, s.seeds)
    learners, right_after = _new(networks, s), {}
    for task in tasks:
        print(f"task {task.name}", flush=True)
        learners = _grown(learners, task, networks, s)
        trained = _trained(learners, task, networks, s)
        right_after[task.name] = _scores(job, trained, learners.layout, task)
        last = task is tasks[-1]
        memories = learners.memories if last else _remembered(learners, trained, task, networks, s)
        learners = learners._replace(params=_apart(trained, len(networks)), memories=memories)
    rows = []
    for task in tasks:
        at_the_end = _scores(job, trained, learners.layout, task)
        for one, then, now in zip(networks, right_after[task.name], at_the_end, strict=True):
            before = {"accuracy_right_after": then["accuracy"], "failed_right_after": then["failed"]}
            rows.append((one, {"task": task.name} | now | before))
    write_rows(job, rows)


def _new(networks: list[Trial], s: Settings) -> Learners:
    """Draw networks without channels, with empty memories."""
    params = [
        new_network(one.seed, s.n_units, s.gain, init_of(one.candidate, s.init), one.candidate.recurrent_init)
        for one in networks
    ]
    return Learners(Layout(), params, [empty_memory(0, s.n_units, 0, s.init.biases)] * len(networks))


def _grown(learners: Learners, task: Task, networks: list[Trial], s: Settings) -> Learners:
    """Add to networks and memories the channels that a new task needs."""
    old = learners.layout
    layout = old.with_task(task, s.rule)
    more = len(layout.inputs) - len(old.inputs), len(layout.outputs) - len(old.outputs)
    params = [
        add_channels(network, old, task, s.rule, one.seed, init_of(one.candidate, s.init))
        for network, one in zip(learners.params, networks, strict=True)
    ]
    return Learners(layout, params, [grow_memory(memory, len(old.inputs), *more) for memory in learners.memories])


def _trained(learners: Learners, task: Task, networks: list[Trial], s: Settings) -> Params:
    """Train the networks on a task; from the second task on, protect the previous ones."""
    layout = learners.layout
    trainable, protection = all_weights(learners.params[0]), None
    if learners.memories[0].n_tasks:
        project = partial(_projections, n_inputs=len(layout.inputs), alpha=s.method.alpha)
        trainable, protection = protected(learners.params[0], _in_threads(project, learners.memories), s.method)
    return train_candidates(
        [one.candidate for one in networks],
        stack_networks(learners.params),
        trainable,
        partial(batches_of_size, task, s),
        batch_keys(networks, task.name, s),
        Recipe(
            s.phase,
            s.optimiser,
            task_objective(s.phase, s.state_noise, lambda network: view(network, layout, task)),
        ),
        protection,
        log_step,
    )


def _projections(memory: Memory, n_inputs: int, alpha: float) -> Projections:
    """Return the projections that protect a network's previous tasks; a network that diverged protects nothing."""
    if not all(np.isfinite(covariance).all() for covariance in (memory.z, memory.wz, memory.y)):
        memory = memory._replace(z=np.zeros_like(memory.z), wz=np.zeros_like(memory.wz), y=np.zeros_like(memory.y))
    return projections(memory, n_inputs, alpha)


def _remembered(learners: Learners, trained: Params, task: Task, networks: list[Trial], s: Settings) -> list[Memory]:
    """Return every network's memory after a task, measuring a few networks at a time."""
    layout = learners.layout
    inputs = {seed: measured_inputs(task, seed, s.method, s) for seed in s.seeds}
    seen, params = view(trained, layout, task), _apart(trained, len(networks))
    rates_of = jax.jit(over_seeds(lambda network, x: run(network, x)[1]))
    found, at_once = [], 1 if jax.default_backend() == "cpu" else AT_ONCE
    for first in range(0, len(networks), at_once):
        some = np.arange(first, min(first + at_once, len(networks)))
        own = jnp.stack([inputs[networks[k].seed] for k in some])
        rates = np.asarray(rates_of(jax.tree.map(lambda w, some=some: w[some], seen), own))
        parts = [
            (learners.memories[k], params[k], layout, task, inputs[networks[k].seed], rates[k - first], s.method)
            for k in some
        ]
        found += _in_threads(lambda part: memory_after(*part), parts)
    return found


def _scores(job: Job[Settings], trained: Params, layout: Layout, task: Task) -> list[dict]:
    """Score the networks on a task's validation trials."""
    s, validation = job.settings, load_arrays(job.inputs[f"validation_{task.name}"])
    return scores(
        view(trained, layout, task),
        validation,
        s.criterion,
        s.state_noise,
        s.data_seed,
        rule_of(task.name, s.criterion),
    )


def _apart(trained: Params, n: int) -> list[Params]:
    """Split a stack of networks into a list."""
    return [select_network(trained, place) for place in range(n)]


def _in_threads(function: Callable, items: Iterable) -> list:
    """Apply a function to each item: with all cores on a GPU's host, with one on a CPU, where other jobs run too."""
    n_threads = 1 if jax.default_backend() == "cpu" else os.cpu_count()
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(function, items))


if __name__ == "__main__":
    run_job("search_sequence", Settings, work)
