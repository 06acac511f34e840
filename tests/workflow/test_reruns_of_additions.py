"""Compare what Snakemake plans after an addition to the finished tiny run: seeds, tasks, networks, modules."""

import json
import os

import numpy as np
import pandas as pd
import pytest
from expected_jobs import ALL_NETWORKS, reported
from sources import OWN_TASK

from molap.storage.files import load_arrays


def test_more_seeds_compute_only_new_networks(changed):
    changed.set(seeds={"networks": 4})
    expected = {"configuration": 1, "reservoir": 1, "module": 8} | ALL_NETWORKS
    for unchanged in ("example", "counts", "table1", "fig1c", "lesioned"):
        del expected[unchanged]
    assert changed.planned() == reported(expected)


def test_a_further_task_reruns_the_corpus_but_no_other_task_of_the_random_reservoir(changed):
    changed.set(tasks={"names": ["delay_pro", "mem_dm1", "context_mem_dm1", "mem_pro"]})
    planned = changed.planned()
    assert planned["testset"] == 1 and planned["separate"] == 1 and planned["validation"] == 1
    assert planned["head"] == 4 + 4 + 1 + 2 and planned["corpus"] == 2
    assert planned["sequence"] == 1 and planned["joint"] == 1


def test_a_task_of_one_s_own_reruns_no_other_task_that_does_not_read_it(changed):
    (changed.folder / "late.py").write_text(OWN_TASK)
    names = ["delay_pro", "mem_dm1", "context_mem_dm1", "late"]
    changed.set(tasks={"modules": ["late.py"], "names": names})
    planned = changed.planned()
    assert {name: planned[name] for name in ("testset", "validation", "separate", "sequence", "joint")} == {
        "testset": 1,
        "validation": 1,
        "separate": 1,
        "sequence": 1,
        "joint": 1,
    }
    assert planned["head"] == 4 + 4 + 1 + 2 and planned["corpus"] == 2 and "reservoir" not in planned


@pytest.mark.exhaustive
def test_a_network_of_one_s_own_joins_heads_tables_and_figures(changed):
    rng = np.random.default_rng(0)
    own = changed.folder / "my networks"
    own.mkdir()
    np.savez(own / "cortex.npz", w_rec=rng.normal(0, 0.5, (12, 12)), modules=np.repeat([1, 2, 3], 4))
    perturbed = {"kinds": ["separate", "molap-cca", "molap-cortex"]}
    changed.set(reservoirs={"files": {"cortex": "my networks/cortex.npz"}}, perturbations=perturbed)
    planned = changed.planned()
    assert {"own_network": 1, "head": 3, "evaluation": 3, "perturbation": 2, "learned": 1}.items() <= planned.items()
    assert not {"corpus", "module", "reservoir", "separate"} & set(planned)
    result = changed.run()
    assert result.returncode == 0, result.stdout + result.stderr
    tables = changed.folder / "results/tiny/tables"
    for table in ("performance", "learning", "generalisation", "robustness", "counts", "curves"):
        assert "cortex" in set(pd.read_csv(tables / f"{table}.csv").source), table
    robustness = pd.read_csv(tables / "robustness.csv").query("source == 'cortex'")
    assert {"module1", "module2", "module3", "inter_module"} <= set(robustness.perturbation)
    for figure in ("fig2", "fig5", "fig4", "fig_learning"):
        assert "reservoir “cortex”" in (changed.folder / f"results/tiny/figures/{figure}.svg").read_text(), figure
    os.utime(own / "cortex.npz")
    assert changed.planned() == {}


@pytest.mark.exhaustive
def test_other_numbers_of_modules_are_runs_beside_the_main_one(changed):
    planned = changed.planned("modules")
    assert planned == {"reservoir": 1, "module": 2, "head": 9, "evaluation": 12, "modules_table": 1, "fig_modules": 1}
    result = changed.run("modules")
    assert result.returncode == 0, result.stdout + result.stderr
    table = pd.read_csv(changed.folder / "results/tiny/modules/modules.csv")
    assert len(table) == 2 * 2 * 3 * 2 and set(table.n_units) == {12, 6} and set(table.n_modules) == {1}
    components = pd.read_csv(changed.folder / "results/tiny/tables/components.csv").set_index(["source", "component"])
    assert set(table.explained_variance.dropna().round(3)) == {round(100 * components.target_r2["cca", 1], 3)}
    assert changed.planned("modules") == {}


@pytest.mark.exhaustive
def test_baselines_are_trained_beside_the_run_and_shown_with_its_networks(changed):
    planned = changed.planned("baselines")
    tables = {"performance": 1, "continual": 1, "forgetting": 1, "fig_baselines": 1}
    assert planned == tables | {"sequence": 6, "scores": 2, "evaluation": 6}
    result = changed.run("baselines")
    assert result.returncode == 0, result.stdout + result.stderr
    folder = changed.folder / "results/tiny"
    scores = pd.read_csv(folder / "baselines/fig_baselines_scores.csv", keep_default_na=False)
    kinds = list((scores.strategy + "-" + scores.source).drop_duplicates())
    assert kinds == ["dni-rule", "dni-norule", "sequential-rule"]
    own = pd.read_csv(folder / "tables/continual.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(scores[: len(own)], own)
    assert set(pd.read_csv(folder / "baselines/fig_baselines_joint.csv").strategy) == {"joint"}
    assert all((folder / f"baselines/fig_baselines.{ending}").exists() for ending in ("png", "svg", "pdf"))
    assert (folder / "sequences/s0-1/sequential-rule/order0/mem_dm1.npz").exists()
    for record in (folder / "sequences/s0-1/sequential-rule/order0").glob("*.record.json"):
        read = json.loads(record.read_text())["inputs"]
        assert set(read) == ({"same", "checkpoints", "record"} if "delay_pro" in record.name else {"network"})
    ours, trained = (folder / f"sequences/s0-1/{kind}-rule/order0/delay_pro.npz" for kind in ("sequential", "dni"))
    found, expected = load_arrays(ours), load_arrays(trained)
    assert all(np.array_equal(array, expected[name]) for name, array in found.items()) and "memory_z" not in found
    told, wanted = (json.loads(file.with_suffix(".record.json").read_text()) for file in (ours, trained))
    assert told["curves"] == wanted["curves"] and told["metrics"] == wanted["metrics"]
    assert not (folder / "baselines/networks").exists()
    assert not (folder / "baselines/sequences/s0-1/dni-rule").exists()
    assert changed.planned("baselines") == {} == changed.planned()
