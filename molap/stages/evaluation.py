"""Score trained networks of a task on its test set."""

from functools import partial

import jax
import numpy as np

from molap.config.base import Section
from molap.config.evaluation import CriterionSettings
from molap.evaluation import metrics
from molap.jobs.job import Job, run_job
from molap.networks.rnn import Params, draw_state_noise, run, select_network
from molap.networks.shared import task_network
from molap.randomness import named_key
from molap.storage.files import load_arrays, write_json


class Settings(Section):
    """What an evaluation depends on, besides networks and test set."""

    kind: str
    task: str
    seeds: tuple[int, ...]
    criterion: CriterionSettings
    state_noise: float
    data_seed: int


@partial(jax.jit, static_argnames=("state_noise", "data_seed"))
def respond(params: Params, inputs, state_noise: float, data_seed: int):
    """Outputs and rates of one network on a test set, with the state noise of the test."""
    key = named_key(data_seed, "state noise")
    noise = draw_state_noise(key, state_noise, inputs.shape[1], inputs.shape[0], params.w_rec.shape[0])
    return run(params, inputs, noise)


def work(job: Job) -> None:
    """Write one row of metrics per network seed."""
    settings = job.settings
    networks = task_network(load_arrays(job.inputs["network"]), settings.task)
    testset = load_arrays(job.inputs["testset"])
    rows = []
    for i, seed in enumerate(settings.seeds):
        outputs, _ = respond(select_network(networks, i), testset["inputs"], settings.state_noise, settings.data_seed)
        scores = metrics(np.asarray(outputs), testset["targets"], settings.criterion)
        rows.append({"network_seed": seed, "n_test_trials": testset["targets"].shape[1]} | scores)
    write_json(job.outputs["rows"], rows)
    job.metrics = {name: [row[name] for row in rows] for name in rows[0] if name != "network_seed"}


if __name__ == "__main__":
    run_job("evaluation", Settings, work)
