"""Run the first network of a block on some test trials, for the panels of Fig 2 D and E."""

import numpy as np

from molap.config.base import Section
from molap.evaluation.test_run import run_test
from molap.jobs.job import Job, run_job
from molap.networks.rnn import from_arrays, select_network
from molap.storage.files import load_arrays, save_arrays


class Settings(Section):
    """Settings that the example depends on, besides network and test set."""

    kind: str
    task: str
    n_trials: int
    state_noise: float
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write outputs, errors, the rates on one trial, and the weights."""
    settings = job.settings
    network = select_network(from_arrays(load_arrays(job.inputs["network"])), 0)
    testset = load_arrays(job.inputs["testset"])
    inputs, targets = (testset[name][:, : settings.n_trials] for name in ("inputs", "targets"))
    outputs, rates = (np.asarray(x) for x in run_test(network, inputs, settings.state_noise, settings.data_seed))
    save_arrays(
        job.outputs["arrays"],
        job.provenance,
        outputs=outputs,
        targets=targets,
        error=((outputs - targets) ** 2).mean(axis=0),
        rates=rates[:, 0],
        w_rec=np.asarray(network.w_rec),
        w_out=np.asarray(network.w_out),
    )


if __name__ == "__main__":
    run_job("example", Settings, work)
