"""Learning curves, counts by number of tasks and units, and the number of modules."""

import json

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from molap.analysis.counts import scaling
from molap.analysis.learning import cumulative, learning
from molap.config.evaluation import CriterionSettings
from molap.config.network import InitSettings
from molap.config.run import parse_config
from molap.evaluation.criterion import metrics
from molap.jobs.job import run_job
from molap.networks.masks import all_weights, count_all, count_trained, head_weights, pretraining_weights
from molap.networks.rnn import draw_b_rec, draw_params, draw_w_rec, from_arrays, run, select_network
from molap.networks.shared import Layout, add_channels, new_network, view
from molap.planning.contents import module_sizes, scaling_sizes
from molap.planning.plan import Plan
from molap.stages import head, learned, reservoir, testset
from molap.storage.files import load_arrays, write_json
from molap.tasks.registry import load_tasks

TASKS = load_tasks()
STEPS = {"pretraining": 5, "heads": 7, "separate": 11, "dni": 13}


def channels(names):
    return [(name, TASKS[name].inputs, TASKS[name].outputs) for name in names]


def real(strategy, names, n, n_modules, biases):
    """Weights in all, trained, and updates, of arrays as the stages draw them."""
    init, tasks = InitSettings(biases=biases), [TASKS[name] for name in names]

    def network(n_in, n_out):
        b_rec = draw_b_rec(0, n, 1.0) if biases else None
        return draw_params(0, draw_w_rec(0, n, 1.0), n_in, n_out, "x", init, b_rec)

    of_tasks = [network(len(task.inputs), len(task.outputs)) for task in tasks]
    if strategy == "separate":
        total = sum(count_all(p) for p in of_tasks)
        return total, total, total * STEPS["separate"]
    if strategy == "dni":
        layout, shared, trained = Layout(), new_network(0, n, 1.0, init), 0
        for task in tasks:
            shared, layout = add_channels(shared, layout, task, True, 0, init), layout.with_task(task, True)
            own = view(shared, layout, task)
            trained += count_trained(own, all_weights(own))
        return count_all(shared), trained, trained * STEPS["dni"]
    heads = sum(count_trained(p, head_weights(p)) for p in of_tasks)
    reservoir, modules = network(1, 1), 0
    if strategy == "molap":
        masks = [pretraining_weights(reservoir, n_modules, m) for m in range(1, n_modules + 1)]
        modules = sum(count_trained(reservoir, mask) for mask in masks)
    updates = modules * STEPS["pretraining"] + heads * STEPS["heads"]
    return count_all(reservoir) + heads, modules + heads, updates


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize(("n", "n_modules"), [(12, 2), (12, 3), (10, 1)])
def test_formulas_count_real_arrays(biases, n, n_modules):
    names = ["delay_pro", "mem_dm1", "context_mem_dm1", "multi_mem"]
    table = scaling(channels(names), [n], n_modules, STEPS, biases)
    assert len(table) == 4 * len(names)
    for row in table.itertuples():
        expected = real(row.strategy, names[: row.n_tasks], n, n_modules, biases)
        assert (row.weights, row.trained, row.updates) == expected, row


def test_the_paper_s_sizes_give_the_counts_of_the_full_run():
    """docs/reference/tables/table1.csv, counted from the networks."""
    table = scaling(channels(TASKS), [100, 200], 2, STEPS).set_index(["strategy", "n_tasks", "n_units"])
    assert table.loc["separate", 9, 100].trained == 94_700 and table.loc["molap", 9, 100].trained == 10_100
    assert table.loc["molap", 9, 100].weights == 14_900 and table.loc["dni", 9, 200].weights == 43_600
    assert table.loc["dni", 9, 200].trained == 371_200 and table.loc["dni", 9, 100].trained == 95_600


COUNTS = pd.DataFrame(
    [
        ("molap", "cca", "module1", 30, 150),
        ("molap", "cca", "module2", 30, 150),
        ("molap", "cca", "a", 4, 28),
        ("molap", "cca", "b", 6, 42),
        ("joint", "rule", "joint", 50, 500),
    ],
    columns=["strategy", "source", "stage", "trained", "updates"],
)


def test_networks_that_cannot_be_configured_are_left_out():
    sizes = module_sizes(parse_config({"network": {"n_units": 1500, "n_modules": 1}}))
    assert sizes["module-r3"] == ("module", 3, 4500) and "module-r4" not in sizes and "network-r4" in sizes
    Plan(parse_config({"network": {"n_units": 5000}}))


def test_sizes_that_are_counted_are_multiples_of_the_number_of_modules():
    config = parse_config({"network": {"n_units": 150, "n_modules": 3}, "figures": {"scaling_units": [50, 51]}})
    assert scaling_sizes(config) == [51]


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for kind, steps in (("molap-cca", (0, 1, 7)), ("joint-rule", (0, 1, 10))):
        for block, seeds in (("s0-1", (0, 1)), ("s2", (2,))):
            rows = [
                {"task": task, "network_seed": seed, "step": step, "accuracy": rng.uniform(0, 100)}
                for task in "ab"
                for seed in seeds
                for step in steps
            ]
            write_json(f"results/t/learned/{block}/{kind}.json", rows)
    files = {
        f"{kind}/{block}": f"results/t/learned/{block}/{kind}.json"
        for kind in ("molap-cca", "joint-rule")
        for block in ("s0-1", "s2")
    }
    return learning(files, {"a": "T1", "b": "T2"}, COUNTS)


def test_updates_are_weights_trained_times_steps_and_pre_training_stands_apart(table):
    assert len(table) == 2 * 2 * 3 * 3
    rows = table.set_index(["strategy", "task", "network_seed", "step"])
    assert rows.loc["molap", "a", 2, 7].updates == 28 and rows.loc["molap", "b", 0, 7].updates == 42
    assert (rows.loc["molap"].updates_before == 300).all() and (rows.loc["joint"].updates_before == 0).all()
    assert (rows.loc["joint"].loc[(slice(None), slice(None), 10), "updates"] == 500).all()


def test_cumulative_updates_are_those_of_all_tasks_and_of_joint_training_once(table):
    mean = cumulative(table).set_index(["strategy", "network_seed", "step"])
    assert mean.loc["molap", 1, 0].updates == 300 and mean.loc["molap", 1, 7].updates == 300 + 28 + 42
    assert mean.loc["joint", 1, 10].updates == 500
    rows = table[(table.strategy == "molap") & (table.network_seed == 1) & (table.step == 7)]
    assert mean.loc["molap", 1, 7].accuracy == pytest.approx(rows.accuracy.mean())


def test_numbers_of_modules_keep_the_network_s_size_or_the_modules_and_share_what_is_the_same():
    config = parse_config({})
    sizes = module_sizes(config)
    assert sizes["network-r3"] == ("network", 3, 99) and sizes["module-r3"] == ("module", 3, 150)
    assert sizes["network-r4"] == ("network", 4, 100) and sizes["module-r1"] == ("module", 1, 50)
    plan, at = Plan(config), {"block": "s0", "source": "cca", "task": "mem_pro", "module": 2}
    for name in ("network-r2", "module-r2"):
        assert plan.path("head", f"paper/modules/{name}", **at) == plan.path("head", "paper", **at)
    none = at | {"source": "none"}
    assert plan.path("head", "paper/modules/network-r4", **none) == plan.path("head", "paper", **none)
    assert plan.path("head", "paper/modules/network-r4", **at).startswith("results/paper/modules/network-r4/")
    assert plan.path("primitives", "paper/modules/module-r4", source="cca") == "results/paper/primitives/cca.npz"


def test_checkpoints_are_scored_as_the_networks_that_they_are(tmp_path):
    small = {"network": {"n_units": 8}, "heads": {"n_steps": 12, "batch_size": 5}, "tasks": {"names": ["mem_pro"]}}
    small |= {"seeds": {"networks": 2, "per_job": 2}, "figures": {"example_task": "mem_pro"}}
    small |= {"tune": {"tasks": ["mem_pro"]}, "evaluation": {"n_validation": 40}, "generalisation": {"left_out": []}}
    plan = Plan(parse_config(small))
    at = {"block": "s0-1", "source": "none", "task": "mem_pro", "kind": "molap-none"}

    def stage(program, name, outputs, **inputs):
        words = ["--settings", plan.settings(name, "paper", **at)]
        for flag, files in (("--output", outputs), ("--input", inputs)):
            for key, value in files.items():
                words += [flag, f"{key}={tmp_path}/{value}"]
        run_job(program.__name__.rpartition(".")[2], program.Settings, program.work, words)

    stage(reservoir, "reservoir", {"arrays": "reservoir.npz"})
    outputs = {"arrays": "head.npz", "checkpoints": "head.checkpoints.npz"}
    stage(head, "head", outputs, network="reservoir.npz")
    stage(testset, "validation", {"arrays": "validation.npz"})
    files = {"mem_pro": "head.npz", "checkpoints_mem_pro": "head.checkpoints.npz"}
    stage(learned, "learned", {"rows": "rows.json"}, **files, validation_mem_pro="validation.npz")
    rows = pd.DataFrame(json.loads((tmp_path / "rows.json").read_text()))
    assert list(rows.step) == [step for step in (0, 1, 2, 5, 10, 12) for _ in "ab"]
    trials = load_arrays(tmp_path / "validation.npz")
    for i, seed in enumerate((0, 1)):
        drawn = from_arrays(load_arrays(tmp_path / "reservoir.npz")).w_rec[i]
        before = draw_params(seed, drawn, 3, 3, "mem_pro", InitSettings())
        after = select_network(from_arrays(load_arrays(tmp_path / "head.npz")), i)
        for step, network in ((0, before), (12, after)):
            expected = metrics(
                np.asarray(run(network, jnp.asarray(trials["inputs"]))[0]), trials["targets"], CriterionSettings()
            )
            (row,) = rows[(rows.network_seed == seed) & (rows.step == step)].to_dict("records")
            assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert rows[rows.step == 12].mse.mean() < rows[rows.step == 0].mse.mean()
