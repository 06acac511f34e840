"""Perturb the trained networks of a task, at every strength and draw, and score them on the test set (A.4)."""

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from molap.analysis.collect import split_kind
from molap.analysis.robustness import INTACT, area_under_curve
from molap.config.base import Section
from molap.config.evaluation import TaskCriterion
from molap.config.perturbations import PerturbationReadings
from molap.evaluation.cells import Cells, identity, missing
from molap.evaluation.criterion import metrics, rule_of
from molap.evaluation.perturbations import Modules
from molap.evaluation.sweep import batch_size, modules_of, perturb, perturbation_key, run_many
from molap.evaluation.sweep_memory import network_mb
from molap.evaluation.test_run import test_noise
from molap.jobs.job import Job, run_job
from molap.networks.rnn import Params, select_network
from molap.networks.shared import task_network
from molap.storage.files import canonical_json, load_arrays, write_table


class Settings(Section):
    """Settings that a sweep depends on, besides networks and test set."""

    kind: str
    task: str
    seeds: tuple[int, ...]
    n_modules: int
    strengths: dict[str, tuple[float, ...]]
    """Strengths by perturbation: module1, module2, …, inter_module, whole, silence, noise."""
    draws: int
    readings: PerturbationReadings
    n_trials: int
    criterion: TaskCriterion
    state_noise: float
    data_seed: int


def work(job: Job[Settings]) -> None:
    """Write one row per network seed, perturbation, strength and draw; `intact` is the network as trained."""
    s = job.settings
    arrays = load_arrays(job.inputs["network"])
    networks = task_network(arrays, s.task)
    testset = load_arrays(job.inputs["testset"])
    inputs, targets = (testset[name][:, : s.n_trials] for name in ("inputs", "targets"))
    n_steps, n_trials, n_units = *inputs.shape[:2], networks.w_rec.shape[-1]
    modules = modules_of(arrays, n_units, s.n_modules)
    each_mb = network_mb(n_units, n_trials, n_steps, inputs.shape[2] + targets.shape[2])
    batch = batch_size(float(os.environ.get("MOLAP_MEMORY_MB", "inf")), each_mb)
    noise = test_noise(s.data_seed, s.state_noise, testset["inputs"], n_units, n_trials)
    rule = rule_of(s.task, s.criterion)
    cells = Cells(Path(job.outputs["table"]).with_suffix(".cells.npz"), _identity(job))
    sweep = {INTACT: (0.0,)} | s.strengths
    report = _Progress(sum(len(strengths) for strengths in s.strengths.values()) * s.draws * len(s.seeds))
    for i, seed in enumerate(s.seeds):
        network = select_network(networks, i)
        for name, strengths in sweep.items():
            perturbed = missing(
                cells, _draw(network, name, seed, modules, s), (seed, name), strengths, _n_draws(name, s)
            )
            n_new = 0
            for item, outputs in run_many(perturbed, inputs, noise, batch):
                scores = metrics(outputs, targets, s.criterion, rule)
                cells.add({"n_hit": item.n_hit} | scores, seed, name, item.strength)
                n_new += 1
            cells.save()
            if name != INTACT:
                report(f"seed {seed}: {name}", len(strengths) * s.draws, n_new)
    table = _table(cells, sweep, n_units, s)
    write_table(job.outputs["table"], table)
    summary = _summary(table, s)
    job.better = dict.fromkeys(summary, "higher")
    job.metrics = summary | {"n_evaluations": len(table)}


def _n_draws(name: str, s: Settings) -> int:
    return 1 if name == INTACT else s.draws


def _draw(network: Params, name: str, seed: int, modules: Modules, s: Settings):
    """Return (draw, strengths) → perturbed networks; places are drawn by name, the same for all kinds of one size."""
    if name == INTACT:
        return lambda draw, strengths: [(network, 0)]
    key = perturbation_key(s.data_seed, name, seed)
    return lambda draw, strengths: perturb(key, draw, network, name, strengths, s.readings, modules)


def _identity(job: Job[Settings]) -> str:
    """Return the identity of the cells, which excludes the seeds, strengths and draws that are requested."""
    settings = job.settings.model_dump(mode="json", exclude={"seeds", "strengths", "draws"})
    return identity(canonical_json(settings), job.code, (job.inputs["network"], job.inputs["testset"]))


def _table(cells: Cells, sweep: dict[str, tuple[float, ...]], n_units: int, s: Settings) -> pd.DataFrame:
    strategy, source = split_kind(s.kind)
    frames = []
    for seed in s.seeds:
        for name, strengths in sweep.items():
            for strength in strengths:
                frame = pd.DataFrame(cells.get(seed, name, strength)[: _n_draws(name, s)], columns=cells.columns)
                first = {"perturbation": name, "strength": strength, "draw": np.arange(len(frame))}
                frames.append(frame.assign(network_seed=seed, **first))
    same = {"strategy": strategy, "source": source, "task": s.task, "n_units": n_units}
    table = pd.concat(frames, ignore_index=True).astype({"n_hit": int}).assign(**same)
    leading = ["strategy", "source", "n_units", "task", "perturbation", "strength", "n_hit", "draw", "network_seed"]
    return table[leading + [name for name in cells.columns if name != "n_hit"]]


def _summary(table: pd.DataFrame, s: Settings) -> dict[str, list[float]]:
    """Return by network seed the accuracy of the intact network, and the area under the curve of each perturbation."""
    found: dict[str, list[float]] = {}
    for _, rows in table.groupby("network_seed", sort=False):
        intact = rows[rows.perturbation == INTACT].accuracy.item()
        found.setdefault("intact_accuracy", []).append(intact)
        for name in s.strengths:
            curve = rows[rows.perturbation == name].groupby("strength").accuracy.mean()
            found.setdefault(f"area_{name}", []).append(area_under_curve(curve, intact))
    return found


class _Progress:
    """Logs the progress: what is done, how fast, and the time that remains."""

    def __init__(self, n_all: int) -> None:
        self._start, self._n_all, self._n_done, self._n_new = time.perf_counter(), n_all, 0, 0

    def __call__(self, what: str, n_done: int, n_new: int) -> None:
        self._n_done, self._n_new = self._n_done + n_done, self._n_new + n_new
        seconds = time.perf_counter() - self._start
        remains = (self._n_all - self._n_done) * seconds / max(self._n_new, 1)
        print(
            f"{what}  {self._n_done}/{self._n_all} networks, {self._n_new / seconds:.0f} per second, "
            f"{remains:.0f} s remain",
            flush=True,
        )


if __name__ == "__main__":
    run_job("perturbation", Settings, work)
