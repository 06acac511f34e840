"""Run the first network of a block, lesioned within and between its modules, on some test trials, for Fig 3 b to e."""

import numpy as np

from molap.config.base import Section
from molap.config.perturbations import PerturbationReadings
from molap.evaluation.sweep import modules_of, outputs, perturb, perturbation_key
from molap.evaluation.test_run import test_noise
from molap.jobs.job import Job, run_job
from molap.networks.rnn import select_network
from molap.networks.shared import task_network
from molap.storage.files import load_arrays, save_arrays


class Settings(Section):
    """Settings that the examples depend on, besides network and test set."""

    kind: str
    task: str
    seeds: tuple[int]
    """The seed of the first network."""
    n_modules: int
    perturbations: tuple[str, ...]
    strength: float
    readings: PerturbationReadings
    n_trials: int
    state_noise: float
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write outputs, targets and errors under the first draw of each lesion."""
    s = job.settings
    arrays = load_arrays(job.inputs["network"])
    network = select_network(task_network(arrays, s.task), 0)
    modules = modules_of(arrays, network.w_rec.shape[0], s.n_modules)
    testset = load_arrays(job.inputs["testset"])
    inputs, targets = (testset[name][:, : s.n_trials] for name in ("inputs", "targets"))
    noise = test_noise(s.data_seed, s.state_noise, testset["inputs"], network.w_rec.shape[0], s.n_trials)
    found = []
    for name in s.perturbations:
        key = perturbation_key(s.data_seed, name, s.seeds[0])
        ((lesioned, _),) = perturb(key, 0, network, name, (s.strength,), s.readings, modules)
        found.append(np.asarray(outputs(lesioned, inputs, noise)))
    save_arrays(
        job.outputs["arrays"],
        job.provenance,
        perturbations=np.array(s.perturbations),
        outputs=np.stack(found),
        targets=targets,
        error=((np.stack(found) - targets) ** 2).mean(axis=1),
    )


if __name__ == "__main__":
    run_job("lesioned", Settings, work)
