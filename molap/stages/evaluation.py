"""Score trained networks of a task on its test set."""

import numpy as np

from molap.config.base import Section
from molap.config.evaluation import TaskCriterion
from molap.evaluation.criterion import better, metrics, rule_of
from molap.evaluation.test_run import run_test_outputs
from molap.jobs.job import Job, run_job
from molap.networks.rnn import select_network
from molap.networks.shared import task_network
from molap.storage.files import load_arrays, write_json


class Settings(Section):
    """Settings that an evaluation depends on, besides networks and test set."""

    kind: str
    task: str
    seeds: tuple[int, ...]
    criterion: TaskCriterion
    state_noise: float
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write one row of metrics per network seed."""
    settings = job.settings
    networks = task_network(load_arrays(job.inputs["network"]), settings.task)
    testset = load_arrays(job.inputs["testset"])
    rows = []
    for i, seed in enumerate(settings.seeds):
        network = select_network(networks, i)
        outputs = run_test_outputs(network, testset["inputs"], settings.state_noise, settings.data_seed)
        scores = metrics(
            np.asarray(outputs), testset["targets"], settings.criterion, rule_of(settings.task, settings.criterion)
        )
        rows.append({"network_seed": seed, "n_test_trials": testset["targets"].shape[1]} | scores)
    write_json(job.outputs["rows"], rows)
    job.metrics = {name: [row[name] for row in rows] for name in rows[0] if name != "network_seed"}
    job.better = better(job.metrics)


if __name__ == "__main__":
    run_job("evaluation", Settings, work)
