"""The parts of `benchmarks/gpu.py`, each a process of its own on one device: it writes what it found as JSON."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import molap.stages  # one thread, before NumPy and JAX are loaded

# isort: split
import jax
import jax.numpy as jnp
import numpy as np
import yaml

import molap.training.loop
from molap.config.network import InitSettings
from molap.config.run import RunConfig
from molap.config.tasks import TrialSettings
from molap.config.training import OptimiserSettings, SeparatePhaseSettings
from molap.evaluation.sweep import Perturbed, run_many
from molap.interface import Stages
from molap.networks.masks import all_weights, head_weights
from molap.networks.rnn import draw_params, draw_w_rec
from molap.planning.contents import (
    chain_sources,
    fitted_sources,
    kinds,
    left_out_sets,
    molap_kinds,
    perturbed_kinds,
    perturbed_tasks,
    sequence_kinds,
    sweep,
    task_order,
)
from molap.storage.paths import block_name
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.loop import Recipe, Watch, train

TINY = Path(__file__).parents[1] / "tests" / "tiny.yaml"
KIND = "molap-cca"
FEW = ["delay_pro", "mem_dm1"]


def stages(folder: Path, options: argparse.Namespace) -> dict:
    """Run every training stage of the tests' tiny workflow, and the perturbations of what it trains."""
    config = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    config["primitives"] = {"sources": ["cca", "none"] if options.few else ["cca", "pca", "none"]}
    if options.few:
        config |= {"tasks": {"names": FEW}, "figures": {"example_task": FEW[0]}}
        config["perturbations"]["tasks"] = FEW[:1]
    run = Stages(config, str(folder))
    c, at = run.config, {"block": run.block}
    networks = {}
    for source in c.primitives.sources:
        frozen = run.pretrained(source)
        for task in c.tasks.names:
            made = run.make("head", "arrays", {"network": frozen}, source=source, task=task, **at)
            networks[f"molap-{source}", task] = made
    for task in c.tasks.names:
        networks["separate", task] = run.make("separate", "arrays", task=task, **at)
    for kind in sequence_kinds(c):
        before = {}
        for task in task_order(c, 0):
            made = run.make("sequence", "arrays", before, kind=kind, order=0, task=task, **at)
            before = {"network": made}
    for kind in (kind for kind in kinds(c) if kind.startswith("joint")):
        run.make("joint", "arrays", kind=kind, **at)
    for task in perturbed_tasks(c):
        testset = run.make("testset", "arrays", task=task)
        for kind in c.perturbations.kinds:
            inputs = {"network": networks[kind, task], "testset": testset}
            run.make("perturbation", "table", inputs, kind=kind, task=task, **at)
    return {"units": max(c.network.n_units, c.separate_network.n_units, c.dni.n_units), "draws": c.perturbations.draws}


def steps(_: Path, options: argparse.Namespace) -> dict:
    """Time a training step by number of networks, units, and what is trained; with the memory in use at most."""
    task, rows = load_tasks()["mem_pro"], []

    def draw(key):
        trials = draw_trials(task, key, options.trials, TrialSettings())
        return trials.inputs, trials.targets

    for n_networks in options.networks:
        for n_units in options.units:
            one = draw_params(0, draw_w_rec(0, n_units, 1.5), 3, 3, task.name, InitSettings())
            params = jax.tree.map(lambda w, n=n_networks: jnp.broadcast_to(w, (n, *w.shape)), one)
            for name, trainable in (("heads", head_weights(one)), ("all weights", all_weights(one))):
                moments = [time.perf_counter()]
                train(
                    params,
                    trainable,
                    draw,
                    jax.random.split(jax.random.key(0), n_networks),
                    Recipe(SeparatePhaseSettings(n_steps=options.chunk * 4), OptimiserSettings()),
                    Watch(lambda step, mse, moments=moments: moments.append(time.perf_counter()), chunk=options.chunk),
                )
                first, *others = np.diff(moments)
                ms = 1e3 * float(np.median(others)) / options.chunk
                row = {"networks": n_networks, "units": n_units, "trained": name, "ms_per_step": ms}
                row |= {"compilation_s": float(first) - ms * options.chunk / 1e3, "memory_mb": peak_memory_mb()}
                rows.append(row)
                print(row, flush=True)
    return {"rows": rows}


def peak_memory_mb() -> float | None:
    """Return the device's memory in use at most so far in this process; None where the device does not say."""
    found = jax.local_devices()[0].memory_stats() or {}
    return found["peak_bytes_in_use"] / 1e6 if "peak_bytes_in_use" in found else None


def block(folder: Path, options: argparse.Namespace) -> dict:
    """Train one block of seeds of T7 at the preset's steps: separate networks, and heads on modules of CCA.

    The modules are trained first, on a corpus of all nine tasks; each network is scored on the test set.
    """
    task = "context_mem_dm1"
    config = {"seeds": {"first": options.first_seed, "networks": options.seeds, "per_job": options.seeds}}
    for name in ("pretraining", "heads", "separate") if options.steps else ():
        config[name] = {"n_steps": options.steps}
    if options.steps:
        config["perturbations"] = {"draws": 2}
    run, seconds = Stages(config, str(folder)), {}

    def timed(stage, *arguments, **wildcards):
        start = time.perf_counter()
        made = Stages.make(run, stage, *arguments, **wildcards)
        seconds[stage] = [*seconds.get(stage, []), time.perf_counter() - start]
        return made

    run.make = timed
    at = {"block": run.block, "task": task}
    testset = run.make("testset", "arrays", task=task)
    networks = {"separate": run.make("separate", "arrays", **at)}
    networks[KIND] = run.make("head", "arrays", {"network": run.pretrained("cca")}, source="cca", **at)
    accuracies = {}
    for kind, network in networks.items():
        inputs = {"network": network, "testset": testset}
        rows = json.loads(Path(run.make("evaluation", "rows", inputs, kind=kind, **at)).read_text(encoding="utf-8"))
        accuracies[kind] = [row["accuracy"] for row in rows]
    found = {"accuracies": accuracies, "seconds": seconds}
    if options.perturb:
        c, inputs = run.config, {"network": networks[KIND], "testset": testset}
        n_seeds = min(options.seeds, 2)
        some = at | {"block": block_name(range(options.first_seed, options.first_seed + n_seeds))}
        run.make("perturbation", "table", inputs, kind=KIND, **some)
        n = n_seeds * c.perturbations.draws * sum(map(len, sweep(c, KIND).values()))
        found["perturbation"] = {"evaluations": n, "per_second": n / seconds["perturbation"][0]}
    return found


def batches(_: Path, options: argparse.Namespace) -> dict:
    """Time the outputs of perturbed networks by how many run at once."""
    trials = draw_trials(load_tasks()["multi_mem"], jax.random.key(0), options.test_trials, TrialSettings())
    inputs, rows = np.asarray(trials.inputs), []
    for n_units in options.units:
        network = draw_params(0, draw_w_rec(0, n_units, 1.5), 3, 2, "task", InitSettings())
        for batch in options.batches:
            items = [Perturbed(1.0, draw, 1, network) for draw in range(max(batch, 4))]
            times = []
            for _ in range(4):
                start = time.perf_counter()
                for _ in run_many(items, inputs, None, batch):
                    pass
                times.append((time.perf_counter() - start) / len(items))
            row = {"batch": batch, "units": n_units, "networks_per_second": 1 / float(np.median(times[1:]))}
            rows.append(row | {"memory_mb": peak_memory_mb()})
            print(rows[-1], flush=True)
    return {"rows": rows}


def plan(_: Path, __: argparse.Namespace) -> dict:
    """Count, for one network seed of the preset, the jobs and steps of training and the perturbed networks."""
    c = RunConfig()
    left_out, n_tasks = left_out_sets(c), len(c.tasks.names)
    n_chains, n_left_out = len(chain_sources(c)) * len(left_out), len(chain_sources(c)) * sum(map(len, left_out))
    perturbed = {"small": 0, "large": 0}
    for kind in perturbed_kinds(c):
        size = "large" if kind in sequence_kinds(c) else "small"
        n_strengths = sum(map(len, sweep(c, kind).values()))
        perturbed[size] += n_strengths * len(perturbed_tasks(c)) * c.perturbations.draws
    jobs = {
        "module": (c.network.n_modules * (len(fitted_sources(c)) + n_chains), c.pretraining.n_steps),
        "head": (len(molap_kinds(c)) * n_tasks + n_left_out, c.heads.n_steps),
        "separate": (n_tasks, c.separate.n_steps),
        "sequence": (len(sequence_kinds(c)) * n_tasks * c.dni.orders, c.dni.n_steps),
        "joint": (sum(kind.startswith("joint") for kind in c.dni.kinds), c.dni.joint_steps),
    }
    return {"jobs": jobs, "perturbed": perturbed}


PARTS = {function.__name__: function for function in (stages, steps, block, batches, plan)}


def main() -> None:
    """Run one part, and write what it found."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("folder", type=Path, help="where its files and its result go")
    parser.add_argument("--vmap", action="store_true", help="compute on a CPU as on a GPU: networks side by side")
    parser.add_argument("--networks", type=int, nargs="+", default=[1])
    parser.add_argument("--units", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--test-trials", type=int, default=250)
    parser.add_argument("--chunk", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=0, help="steps of every phase; 0 for the preset's")
    parser.add_argument("--perturb", action="store_true")
    parser.add_argument("--few", action="store_true", help="fewer tasks and sources of modules")
    options = parser.parse_args()
    if options.vmap:
        molap.training.loop.over_seeds = jax.vmap
    options.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    found = PARTS[options.part](options.folder, options)
    found |= {"device": jax.devices()[0].device_kind, "platform": jax.default_backend(), "jax": jax.__version__}
    found |= {"wall_s": time.perf_counter() - start, "python": sys.version.split()[0], "cores": os.cpu_count()}
    (options.folder / "found.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
