"""Put networks and trials together from the arrays that the workflow saves."""

import json
from collections.abc import Callable

import numpy as np

from molap.config.evaluation import TaskCriterion
from molap.config.perturbations import PerturbationReadings
from molap.config.run import RunConfig
from molap.evaluation.sweep import modules_of
from molap.networks.rnn import select_network
from molap.networks.shared import task_network
from molap.opened.network import Network, Scoring
from molap.opened.trials import Trials
from molap.planning.plan import Plan
from molap.storage.paths import block_seeds
from molap.tasks.registry import load_tasks


def trials_of(config: RunConfig, task: str, arrays: dict[str, np.ndarray]) -> Trials:
    """Return the trials of a test set or of validation trials."""
    of = load_tasks(config.tasks.modules)[task]
    names = {name: name.removeprefix("condition_") for name in arrays if name not in ("inputs", "targets")}
    conditions = {plain: arrays[name] for name, plain in names.items()}
    return Trials(task, arrays["inputs"], arrays["targets"], conditions, of.dt, of.inputs, of.outputs)


def network_of(
    plan: Plan,
    at: tuple[str, str, str],
    seed: int,
    arrays: dict[str, np.ndarray],
    testset: Callable[[], Trials],
) -> Network:
    """Return a network of a file, with all that its score depends on.

    Args:
        plan: that of the run.
        at: block of seeds, kind and task.
        seed: the network seed.
        arrays: those of the file.
        testset: a function that returns the test trials.
    """
    block, kind, task = at
    run, config = plan.config.name, plan.config
    params = select_network(task_network(arrays, task), block_seeds(block).index(seed))
    modules = modules_of(arrays, params.w_rec.shape[0], config.network.n_modules)
    s = json.loads(plan.settings("perturbation", run, block=block, kind=kind, task=task))
    scoring = Scoring(
        TaskCriterion.model_validate(s["criterion"]),
        s["state_noise"],
        s["data_seed"],
        PerturbationReadings.model_validate(s["readings"]),
        s["n_trials"],
    )
    of = load_tasks(config.tasks.modules)[task]
    names = tuple(arrays.get("module_names", np.array([])).tolist())
    return Network(kind, task, seed, params, modules, scoring, of.inputs, of.outputs, names, testset=testset)
