"""Score networks at the checkpoints of their training, on validation trials."""

import numpy as np

from molap.config.base import Section
from molap.config.evaluation import TaskCriterion
from molap.evaluation.criterion import metrics, rule_of
from molap.evaluation.test_run import run_test_outputs
from molap.jobs.job import Job, run_job
from molap.networks.rnn import select_network
from molap.networks.shared import task_network
from molap.storage.files import load_arrays, write_json


class Settings(Section):
    """Settings that the scores depend on, besides networks, checkpoints and validation trials."""

    kind: str
    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    criterion: TaskCriterion
    state_noise: float
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write one row per task, network seed and checkpoint."""
    s, rows = job.settings, []
    for task in s.tasks:
        names = task, f"checkpoints_{task}", f"validation_{task}"
        last, kept, validation = (load_arrays(job.inputs[name]) for name in names)
        for index, step in enumerate(kept.pop("steps")):
            networks = task_network(last | {name: weights[index] for name, weights in kept.items()}, task)
            for i, seed in enumerate(s.seeds):
                network = select_network(networks, i)
                outputs = run_test_outputs(network, validation["inputs"], s.state_noise, s.data_seed)
                scores = metrics(np.asarray(outputs), validation["targets"], s.criterion, rule_of(task, s.criterion))
                rows.append({"task": task, "network_seed": seed, "step": int(step)} | scores)
        print(f"{task}: {index + 1} checkpoints", flush=True)
    write_json(job.outputs["rows"], rows)


if __name__ == "__main__":
    run_job("learned", Settings, work)
