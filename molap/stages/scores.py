"""Score a sequence: the network before the first task and after each task, on the test sets of all tasks."""

import numpy as np

from molap.config.base import Section
from molap.config.evaluation import TaskCriterion
from molap.config.network import InitSettings, RecurrentInit
from molap.config.tasks import TrialSettings
from molap.evaluation.criterion import metrics, rule_of
from molap.evaluation.test_run import run_test_outputs
from molap.jobs.job import Job, run_job
from molap.networks.rnn import Params, from_arrays, select_network
from molap.networks.shared import Layout, add_channels, new_network, view
from molap.storage.files import load_arrays, write_json
from molap.tasks.registry import load_tasks


class Settings(Section):
    """Settings that the scores depend on, besides networks and test sets."""

    trials: TrialSettings
    tasks: tuple[str, ...]
    """The tasks in the order in which they were learned."""
    order: int
    rule: bool
    seeds: tuple[int, ...]
    n_units: int
    gain: float
    recurrent_init: RecurrentInit
    init: InitSettings
    criterion: TaskCriterion
    state_noise: float
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write one row per network seed, place in the sequence (0: untrained) and task tested."""
    s = job.settings
    testsets = {task: load_arrays(job.inputs[f"testset_{task}"]) for task in s.tasks}
    rows = []
    for place in range(len(s.tasks) + 1):
        after = s.tasks[place - 1] if place else ""
        networks = from_arrays(load_arrays(job.inputs[after])) if place else None
        for i, seed in enumerate(s.seeds):
            network = _untrained(seed, s) if networks is None else select_network(networks, i)
            for task in s.tasks:
                seen = _as_seen(network, place, task, seed, s)
                inputs, targets = (testsets[task][name] for name in ("inputs", "targets"))
                outputs = run_test_outputs(seen, inputs, s.state_noise, s.data_seed)
                row = {"network_seed": seed, "order": s.order, "place": place, "after": after, "task": task}
                rows.append(row | metrics(np.asarray(outputs), targets, s.criterion, rule_of(task, s.criterion)))
        print(f"after {place} of {len(s.tasks)} tasks", flush=True)
    write_json(job.outputs["rows"], rows)


def _untrained(seed: int, s: Settings) -> Params:
    return new_network(seed, s.n_units, s.gain, s.init, s.recurrent_init)


def _as_seen(network: Params, place: int, task: str, seed: int, s: Settings) -> Params:
    """Return the network as a task sees it; channels that it does not have yet are drawn as they will be when added."""
    tasks, layout = load_tasks(s.trials.modules), Layout()
    for i, name in enumerate(s.tasks[: max(place, s.tasks.index(task) + 1)]):
        if i >= place:
            network = add_channels(network, layout, tasks[name], s.rule, seed, s.init)
        layout = layout.with_task(tasks[name], s.rule)
    return view(network, layout, tasks[task])


if __name__ == "__main__":
    run_job("scores", Settings, work)
