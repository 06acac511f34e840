"""Examine separate networks at the checkpoints of their training for what keeps them on a plateau."""

import numpy as np
import pandas as pd

from molap.config.base import Section
from molap.config.evaluation import TaskCriterion
from molap.evaluation.criterion import better, metrics, rule_of
from molap.evaluation.plateau import symptoms
from molap.evaluation.test_run import run_test
from molap.jobs.job import Job, run_job
from molap.networks.rnn import from_arrays, select_network
from molap.storage.files import load_arrays, write_table
from molap.tasks.registry import load_tasks

SCORES = ("accuracy", "best_constant", "response_mse")


class Settings(Section):
    """Settings that the numbers depend on, besides checkpoints and validation trials."""

    task: str
    seeds: tuple[int, ...]
    criterion: TaskCriterion
    state_noise: float
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write one row per network seed and checkpoint; the checkpoints hold all weights of a separate network."""
    s, rows = job.settings, []
    kept, validation = (load_arrays(job.inputs[name]) for name in ("checkpoints", "validation"))
    inputs, targets = validation["inputs"], validation["targets"]
    for index, step in enumerate(kept.pop("steps")):
        networks = from_arrays({name: weights[index] for name, weights in kept.items()})
        for i, seed in enumerate(s.seeds):
            network = select_network(networks, i)
            outputs, h = map(np.asarray, run_test(network, inputs, s.state_noise, s.data_seed))
            scores = metrics(outputs, targets, s.criterion, rule_of(s.task, s.criterion))
            weights = np.asarray(network.w_rec), np.asarray(network.w_out)
            found = symptoms(*weights, h, outputs, inputs, targets, *epochs_of(s))
            first = {"task": s.task, "network_seed": seed, "step": int(step)}
            rows.append(first | {name: scores[name] for name in SCORES} | found)
        print(f"step {step}", flush=True)
    table = pd.DataFrame(rows).sort_values(["network_seed", "step"], kind="stable")
    write_table(job.outputs["table"], table)
    last = table[table.step == table.step.max()]
    job.metrics = {name: last[name].tolist() for name in (*SCORES, *found)}
    job.better = better(SCORES)


def epochs_of(s: Settings) -> tuple:
    """Return the response period and the pulses of a user's task; nothing for the nine, which have those of the paper.

    The configuration has checked that the task names these epochs (`molap.config.run.PLATEAU_EPOCHS`).
    """
    if not s.criterion.modules:
        return ()
    epochs = load_tasks(s.criterion.modules)[s.task].epochs
    return epochs["response"], (epochs["pulse1"], epochs["pulse2"])


if __name__ == "__main__":
    run_job("plateau", Settings, work)
