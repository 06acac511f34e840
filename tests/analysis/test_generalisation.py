"""Tasks left out of the corpus: what their chains see, what is shared, and the tables of Fig 5."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import molap.tasks.registry
from molap.analysis.generalisation import differences, generalisation, paired
from molap.config.base import ConfigError
from molap.config.run import parse_config, read
from molap.config.tasks import TASK_NAMES
from molap.jobs.job import run_job
from molap.planning.contents import corpus_tasks, left_out_sets
from molap.planning.outputs import path
from molap.planning.plan import Plan
from molap.stages import corpus, module, primitives, reservoir
from molap.storage.files import load_arrays
from molap.tasks.registry import BUILT_IN, load_tasks

SMALL = {
    "name": "t",
    "corpus": {"n_trials": 30},
    "network": {"n_units": 8},
    "pretraining": {"n_steps": 3, "batch_size": 8},
    "seeds": {"networks": 2, "per_job": 2},
}


def chain(folder, config, run):
    """The stages from corpus to the last module of a chain, in this process; their arrays by name."""
    plan, found = Plan(config), {}

    def stage(name, program, output, inputs=(), **at):
        file = folder / f"{output}.npz"
        words = ["--settings", plan.settings(name, run, **at), "--output", f"arrays={file}"]
        for key, value in inputs:
            words += ["--input", f"{key}={value}"]
        run_job(name, program.Settings, program.work, words)
        found[output] = load_arrays(file)
        return file

    folder.mkdir(exist_ok=True)
    corpus_file = stage("corpus", corpus, "corpus")
    fit = stage("primitives", primitives, "cca", [("corpus", corpus_file)], source="cca")
    network = stage("reservoir", reservoir, "reservoir", block="s0-1")
    for number in ("1", "2"):
        at = {"block": "s0-1", "source": "cca", "module": number}
        network = stage("module", module, f"module{number}", [("network", network), ("primitives", fit)], **at)
    return found


def test_by_default_each_task_alone_and_with_the_next_is_left_out_and_the_last_wraps_to_the_first():
    sets = left_out_sets(parse_config({}))
    assert sets[:9] == [(name,) for name in TASK_NAMES]
    assert sets[9] == ("delay_pro", "delay_anti") and sets[-1] == ("multi_mem", "delay_pro") and len(sets) == 18
    three = {"tasks": {"names": ["mem_pro", "mem_dm1", "context_mem_dm1"]}}
    assert len(left_out_sets(parse_config(three))) == 6
    two = {"tasks": {"names": ["mem_pro", "context_mem_dm1"]}}
    assert left_out_sets(parse_config(two)) == [("mem_pro",), ("context_mem_dm1",)]


def test_nothing_is_left_out_where_nothing_is_fitted_or_nothing_is_asked_for():
    assert left_out_sets(parse_config({"primitives": {"sources": ["none"]}})) == []
    assert left_out_sets(parse_config({"generalisation": {"left_out": []}})) == []


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ([["mem_por"]], "generalisation.left_out: 'mem_por' is not allowed; tasks.names has delay_pro"),
        ([["mem_pro", "mem_pro"]], "generalisation.left_out: ['mem_pro', 'mem_pro'] is not allowed"),
        ([[]], "generalisation.left_out: [] is not allowed; name tasks, each once"),
        ([list(TASK_NAMES)], "a task must stay in the corpus"),
        ([["mem_pro", "mem_dm1"], ["mem_dm1", "mem_pro"]], "each set may appear once"),
        ("mem_pro", "generalisation.left_out"),
    ],
)
def test_a_wrong_set_is_refused(left_out, message):
    with pytest.raises(ConfigError) as refusal:
        parse_config({"generalisation": {"left_out": left_out}})
    assert message in str(refusal.value) and len(str(refusal.value).splitlines()) == 1


@pytest.mark.exhaustive
def test_the_channels_of_a_left_out_task_are_absent(tmp_path):
    config = parse_config(SMALL)
    whole = chain(tmp_path / "whole", config, "t")["corpus"]
    lacking = chain(tmp_path / "lacking", config, "t/without/delay_pro")["corpus"]
    assert whole["inputs"].shape[2] == 25 and lacking["inputs"].shape[2] == 22
    assert whole["targets"].shape[2] == 22 and lacking["targets"].shape[2] == 19
    assert not any(name.startswith("delay_pro:") for name in (*lacking["input_names"], *lacking["target_names"]))
    kept = [list(whole["input_names"]).index(name) for name in lacking["input_names"]]
    np.testing.assert_array_equal(whole["inputs"][..., kept], lacking["inputs"])


def test_the_last_task_goes_with_the_first():
    config = parse_config(SMALL)
    without = Plan(config).runs["t/without/multi_mem+delay_pro"]
    assert corpus_tasks(without) == list(TASK_NAMES[1:-1])


def test_a_poisoned_task_leaves_no_trace_in_its_chain(tmp_path, monkeypatch):
    """The generator of the left-out task raises; the chain neither notices nor changes a byte."""
    run, config = "t/without/context_mem_dm1", parse_config(SMALL)
    before = chain(tmp_path / "before", config, run)

    def poisoned(conditions, settings):
        raise AssertionError("the left-out task was drawn")

    tasks = tuple(t._replace(build=poisoned) if t.name == "context_mem_dm1" else t for t in BUILT_IN)
    monkeypatch.setattr(molap.tasks.registry, "BUILT_IN", tasks)
    load_tasks.cache_clear()
    try:
        after = chain(tmp_path / "after", config, run)
        with pytest.raises(SystemExit):
            chain(tmp_path / "whole", config, "t")
    finally:
        load_tasks.cache_clear()
    for name, arrays in before.items():
        assert arrays.keys() == after[name].keys()
        for key, values in arrays.items():
            np.testing.assert_array_equal(values, after[name][key])
    assert (tmp_path / "before/module2.npz").read_bytes() == (tmp_path / "after/module2.npz").read_bytes()


def test_a_chain_shares_what_does_not_depend_on_its_corpus():
    plan = Plan(parse_config({}))
    run, at = "paper/without/mem_pro", {"block": "s0", "source": "cca", "task": "mem_pro", "module": 2}
    assert plan.path("testset", run, task="mem_pro").startswith("results/paper/testsets/")
    assert plan.path("reservoir", run, block="s0").startswith("results/paper/networks/")
    for output, wildcards in (("corpus", {}), ("primitives", {"source": "cca"}), ("module", at)):
        assert plan.path(output, run, **wildcards).startswith("results/paper/without/mem_pro/")
    assert plan.path("head", run, **at).startswith("results/paper/without/mem_pro/")
    assert plan.path("head", run, **at | {"source": "none"}).startswith("results/paper/networks/")


def test_in_the_released_reading_a_task_left_out_alone_stays_and_its_chain_is_the_main_run():
    plan = Plan(read("config/released.yaml"))
    assert corpus_tasks(plan.runs["released/without/mem_pro"]) == list(TASK_NAMES)
    assert corpus_tasks(plan.runs["released/without/mem_pro+mem_anti"]) == [*TASK_NAMES[:2], *TASK_NAMES[4:]]
    at = {"block": "s0", "source": "cca", "task": "mem_pro", "module": 3}
    assert plan.path("head", "released/without/mem_pro", **at) == plan.path("head", "released", **at)
    assert plan.path("head", "released/without/mem_pro+mem_anti", **at) != plan.path("head", "released", **at)


def scores(labels, left_out, seeds, rng):
    """A table as `generalisation` makes it, with random accuracies."""
    rows = []
    for task in labels:
        for source in ("cca", "pca", "none"):
            sets = [((), 0)] + [(names, names.index(task) + 1) for names in left_out if task in names]
            for names, place in sets if source == "cca" else sets[:1]:
                for seed in seeds:
                    row = {"source": source, "task": task, "label": labels[task], "left_out": "+".join(names)}
                    row |= {"n_left_out": len(names), "place": place, "network_seed": seed}
                    row |= {"n_absent": len(names), "accuracy": rng.uniform(0, 100)}
                    rows.append(row)
    return pd.DataFrame(rows)


LABELS, SETS = {"mem_pro": "T3", "mem_dm1": "T5"}, [("mem_pro",), ("mem_dm1",), ("mem_pro", "mem_dm1")]


def test_differences_are_paired_by_network_seed_and_their_interval_is_students():
    table = scores(LABELS, SETS, range(5), np.random.default_rng(0))
    found = differences(paired(table.sample(frac=1, random_state=1)))
    assert len(found) == 2 + 2
    for row in found.itertuples():
        own = table[(table.task == row.task) & (table.source == "cca")]
        left = own[own.left_out == row.left_out].sort_values("network_seed").accuracy.to_numpy()
        included = own[own.n_left_out == 0].sort_values("network_seed").accuracy.to_numpy()
        none, pca = (
            table[(table.task == row.task) & (table.source == source)].sort_values("network_seed").accuracy.to_numpy()
            for source in ("none", "pca")
        )
        for other, name in ((included, "difference"), (none, "to_none"), (pca, "to_pca")):
            interval = stats.ttest_rel(left, other).confidence_interval(0.95)
            expected = [(left - other).mean(), interval.low, interval.high]
            np.testing.assert_allclose([getattr(row, name + end) for end in ("", "_low", "_high")], expected)
        assert row.n_seeds == 5


def test_one_network_seed_has_a_difference_and_no_interval():
    found = differences(paired(scores(LABELS, SETS, [3], np.random.default_rng(0))))
    assert found.difference.notna().all() and found.difference_low.isna().all() and found.to_none_high.isna().all()


def test_the_table_puts_left_out_tasks_beside_included_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    files = {}

    def write(left_out, kind, task, accuracy):
        run = "t" if not left_out else f"t/without/{left_out}"
        file = tmp_path / path("evaluation", run, block="s0-1", kind=kind, task=task)
        files[f"{left_out}/{kind}/{task}/s0-1"] = str(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        row = {"accuracy": accuracy, "decision_accuracy": 1.0, "all_correct": 0.0, "best_constant": 50.0, "mse": 0.1}
        file.write_text(json.dumps([row | {"network_seed": 0}, row | {"network_seed": 1}]))

    for task, value in (("mem_pro", 10.0), ("mem_dm1", 20.0)):
        write("", "molap-cca", task, value)
        write("", "molap-none", task, value + 1)
        write(task, "molap-cca", task, value + 2)
        write("mem_pro+mem_dm1", "molap-cca", task, value + 3)
    table = generalisation(files, LABELS)
    assert len(table) == (2 + 2 + 1 + 1 + 2) * 2
    found = table[table.network_seed == 1].set_index(["source", "task", "left_out"])
    expected = {("cca", "mem_pro", ""): (10, 0, 0), ("none", "mem_dm1", ""): (21, 0, 0)}
    expected |= {("cca", "mem_dm1", "mem_dm1"): (22, 1, 1), ("cca", "mem_dm1", "mem_pro+mem_dm1"): (23, 2, 2)}
    for place, values in expected.items():
        assert tuple(found.loc[place, ["accuracy", "n_left_out", "place"]]) == values
