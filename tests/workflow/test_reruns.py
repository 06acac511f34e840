"""What Snakemake plans after a change to the finished tiny run: what depends on it, and nothing else."""

import json
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import yaml
from sources import OWN_TASK

from molap.storage.files import load_arrays

GENERALISED = {"generalisation": 1, "differences": 1, "fig5": 1}
LEARNED = {"learning": 1, "fig_learning": 1}
AFTER_COUNTS = {"counts": 1, "table1": 1, "fig1c": 1} | LEARNED
AFTER_NETWORKS = {"performance": 1, "failures": 1, "curves": 1, "fig2": 1, "fig_dni": 1} | AFTER_COUNTS
PERTURBED_FIGURES = {"fig3": 1, "fig_curves": 7, "fig_matched": 1, "fig_areas": 1}
AFTER_SWEEPS = {"robustness": 1, "areas": 1} | PERTURBED_FIGURES
SWEEPS = {"perturbation": 4, "lesioned": 1} | AFTER_SWEEPS
OF_ONE_KIND = SWEEPS | {"perturbation": 2}
SCORES = {"scores": 1, "continual": 1, "forgetting": 1}
SHARED = {"sequence": 3, "joint": 1} | SCORES
NOT_SHARED = dict.fromkeys(SHARED, 0)
ALL_NETWORKS = {"head": 11, "separate": 3, "evaluation": 20, "learned": 6, "example": 2}
ALL_NETWORKS |= SHARED | AFTER_NETWORKS | SWEEPS | GENERALISED
ONLY_SEPARATE = {"separate": 3, "evaluation": 3, "learned": 1, "perturbation": 2} | AFTER_NETWORKS | AFTER_SWEEPS


JUDGED = {"performance", "robustness", "areas", "generalisation", "forgetting", "components", "table1"}
ON_PAGE = {"fig1c", "fig2", "fig_dni", "fig3", "fig5", "fig_learning", "fig_scaling", "fig_areas", "fig_matched"}


def reported(expected):
    """With the verdicts and the pages of the report.

    Of tables and settings where one is made again, of provenance where anything is, of claims where a table that they
    are judged by is, or a figure that their page shows.
    """
    paged = {
        "configuration",
        *AFTER_SWEEPS,
        *SCORES,
        *AFTER_COUNTS,
        *GENERALISED,
        "performance",
        "components",
        "scaling",
    }
    paged -= {name for name in paged if name.startswith("fig")}
    expected = {rule: count for rule, count in expected.items() if count}
    pages = ["provenance"] * bool(expected) + ["pages"] * bool(paged & set(expected))
    pages += ["claims_table"] * bool(JUDGED & set(expected))
    pages += ["claims_page"] * bool((JUDGED | ON_PAGE) & set(expected))
    return expected | dict.fromkeys(pages, 1)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("molap/networks/rnn.py", '"""The recurrent network', '"""The  network'),
        ("molap/training/loop.py", "    # Many steps in one program", "    # A scan"),
        ("molap/config/tasks.py", "N_STEPS = 110\n", "N_STEPS = 110  # steps\n\n\n"),
    ],
)
def test_comments_docstrings_and_layout_plan_nothing(changed, file, old, new):
    changed.edit(file, old, new)
    assert changed.planned() == {}


@pytest.mark.parametrize(
    ("file", "old"),
    [
        ("molap/config/network.py", "Units of each separate network."),
        ("molap/planning/tables.py", "weights trained and in all per strategy, source and stage"),
    ],
)
def test_a_reworded_description_reruns_the_pages_that_print_it_alone(changed, file, old):
    changed.edit(file, old, "Reworded.")
    assert changed.planned() == {"pages": 1}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("molap/figures/counts.py", "ylim=(50, 3e7)", "ylim=(10, 3e7)", {"fig1c": 1}),
        (
            "molap/figures/style.py",
            '"font.size": 9',
            '"font.size": 8',
            dict.fromkeys(("fig1c", "fig2", "fig_dni", "fig5", "fig_learning", "fig_scaling"), 1) | PERTURBED_FIGURES,
        ),
        (
            "molap/evaluation/criterion.py",
            "deviation <= tolerances",
            "deviation < tolerances",
            {"evaluation": 20, "learned": 6, "performance": 1, "failures": 1, "fig2": 1, "fig_dni": 1}
            | SCORES
            | LEARNED
            | GENERALISED
            | {"perturbation": 4}
            | AFTER_SWEEPS,
        ),
        (
            "molap/networks/masks.py",
            "size = n_units // n_modules",
            "size = int(n_units / n_modules)",
            {"module": 8} | ALL_NETWORKS,
        ),
        ("molap/networks/rnn.py", "carry.sum(axis=0)", "carry.sum(0)", {"reservoir": 1, "module": 8} | ALL_NETWORKS),
        (
            "molap/primitives/fit.py",
            "> 1e-12 *",
            "> 1e-11 *",
            {"primitives": 4, "components": 1, "module": 8, "head": 8, "evaluation": 8, "learned": 2, "example": 1}
            | AFTER_NETWORKS
            | GENERALISED
            | OF_ONE_KIND,
        ),
        (
            "molap/stages/separate.py",
            "draw_w_rec(seed, ",
            "draw_w_rec(seed + 0, ",
            ONLY_SEPARATE,
        ),
        (
            "molap/training/dni.py",
            "values / (values + alpha)",
            "1 / (1 + alpha / np.maximum(values, 1e-300))",
            {"sequence": 3, "evaluation": 3, "learned": 1} | SCORES | AFTER_NETWORKS,
        ),
    ],
)
def test_a_changed_module_reruns_what_imports_it(changed, file, old, new, expected):
    changed.edit(file, old, new)
    assert changed.planned() == reported(expected)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"evaluation": {"tolerance": 0.2}},
            {
                "evaluation": 20,
                "learned": 6,
                "performance": 1,
                "failures": 1,
                "fig2": 1,
                "fig_dni": 1,
                "perturbation": 4,
            }
            | SCORES
            | LEARNED
            | GENERALISED
            | AFTER_SWEEPS,
        ),
        ({"separate": {"learning_rate": 0.001}}, ONLY_SEPARATE),
        (
            {"dni": {"alpha": 0.1}},
            {"sequence": 2, "evaluation": 3, "learned": 1} | SCORES | AFTER_NETWORKS,
        ),
        ({"dni": {"joint_steps": 7}}, {"joint": 1, "evaluation": 3, "learned": 1} | AFTER_NETWORKS),
        ({"tracking": {"interval_s": 20}}, {}),
        (
            {"primitives": {"pca": "joint"}},
            {"primitives": 2, "components": 1, "module": 4, "head": 4, "evaluation": 4, "learned": 1}
            | AFTER_NETWORKS
            | GENERALISED,
        ),
        ({"figures": {"example_trials": 5}}, {"example": 2, "fig2": 1, "lesioned": 1, "fig3": 1}),
        ({"perturbations": {"noise": [0.01, 0.02]}}, {"perturbation": 4} | AFTER_SWEEPS),
        ({"perturbations": {"tasks": ["delay_pro"]}}, AFTER_SWEEPS | {"lesioned": 1, "fig_curves": 5}),
        ({"perturbations": {"silencing": "recurrence"}}, SWEEPS),
        ({"perturbations": {"example_strength": 10}}, {"lesioned": 1, "fig3": 1}),
        ({"tune": {"networks": 3}}, {}),
        ({"evaluation": {"n_validation": 25}}, {"validation": 3, "learned": 6} | LEARNED),
        (
            {"generalisation": {"left_out": [["delay_pro"], ["mem_dm1", "delay_pro"]]}},
            {"corpus": 1, "primitives": 2, "module": 4, "head": 4, "evaluation": 4} | GENERALISED,
        ),
        ({"modules": {"numbers": [1, 3]}}, {}),
        (
            {"heads": {"n_steps": 9}, "separate": {"n_steps": 7}},
            ALL_NETWORKS | NOT_SHARED | {"evaluation": 14, "learned": 4, "scaling": 1, "fig_scaling": 1},
        ),
    ],
)
def test_a_changed_setting_reruns_what_depends_on_it(changed, change, expected):
    changed.set(**change)
    configuration = {} if set(change) == {"tracking"} else {"configuration": 1}
    assert changed.planned() == reported(configuration | expected)


def why(scratch, *arguments):
    """What `molap why` prints: cause → the lines below it."""
    command = [sys.executable, "-m", "molap.planning.why", *arguments, "--configfile", "tiny.yaml"]
    result = subprocess.run(command, cwd=scratch.folder, env=scratch.environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return {cause: lines for cause, *lines in (part.splitlines() for part in result.stdout.split("\n\n"))}


def count(lines):
    """Jobs by program; of a cause with many, a line stands for all jobs of its program."""
    found = Counter()
    for program, number, *words in map(str.split, lines):
        found[program] += int(number) if words[:1] == ["jobs,"] else 1
    return found


def test_why_names_the_key_the_module_the_missing_file_and_the_input_behind_every_job(changed):
    changed.set(heads={"n_steps": 9})
    changed.edit("molap/training/dni.py", "values / (values + alpha)", "1 / (1 + alpha / np.maximum(values, 1e-300))")
    missing = "results/tiny/testsets/mem_dm1.npz"
    (changed.folder / missing).unlink()
    found = why(changed)
    planned = changed.planned()
    heads = found["heads.n_steps: 8 → 9"]
    assert count(heads)["head"] == planned["head"]
    assert any(line.split() == ["configuration", "results/tiny/configuration.json"] for line in heads)
    sequences = found["source changed: molap.training.dni"]
    assert count(sequences) == {"sequence": planned["sequence"]}
    assert [line.split() for line in found["an output is missing"]] == [["testset", missing]]
    (fig2,) = (line for line in found["an input is made again"] if line.startswith("    fig2 "))
    assert "results/tiny/figures/fig2.png" in fig2
    assert sum(count(lines).total() for lines in found.values()) == sum(planned.values())


@pytest.mark.exhaustive
def test_why_tells_that_nothing_would_run_and_refuses_as_the_workflow_does(changed):
    assert why(changed) == {"nothing to be done": []}
    changed.set(heads={"n_steps": -1})
    command = [sys.executable, "-m", "molap.planning.why", "--configfile", "tiny.yaml"]
    result = subprocess.run(command, cwd=changed.folder, env=changed.environment, capture_output=True, text=True)
    assert result.returncode != 0 and "heads.n_steps: -1 is not allowed" in result.stderr


def test_touched_sources_and_settings_plan_nothing(changed):
    for name in ("molap", "workflow", "config", "envs", "tiny.yaml"):
        for path in (changed.folder / name, *(changed.folder / name).rglob("*")):
            os.utime(path)
    assert changed.planned() == {}


def test_swapped_values_are_noticed(changed):
    changed.set(heads={"weight_penalty": 1e-7, "activity_penalty": 1e-5})
    assert changed.planned()["head"] == 11


def test_the_order_of_keys_plans_nothing(changed):
    path = changed.folder / "tiny.yaml"
    values = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(dict(reversed(values.items())), sort_keys=False))
    assert changed.planned() == {}


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
    np.savez(own / "cortex.npz", w_rec=rng.normal(0, 0.5, (9, 9)), modules=np.repeat([1, 2, 3], 3))
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
def test_yardsticks_are_trained_beside_the_run_and_shown_with_its_networks(changed):
    planned = changed.planned("yardsticks")
    tables = {"performance": 1, "continual": 1, "forgetting": 1, "fig_yardsticks": 1}
    assert planned == tables | {"sequence": 6, "scores": 2, "evaluation": 6}
    result = changed.run("yardsticks")
    assert result.returncode == 0, result.stdout + result.stderr
    folder = changed.folder / "results/tiny"
    scores = pd.read_csv(folder / "yardsticks/fig_yardsticks_scores.csv", keep_default_na=False)
    kinds = list((scores.strategy + "-" + scores.source).drop_duplicates())
    assert kinds == ["dni-rule", "dni-norule", "sequential-rule"]
    own = pd.read_csv(folder / "tables/continual.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(scores[: len(own)], own)
    assert set(pd.read_csv(folder / "yardsticks/fig_yardsticks_joint.csv").strategy) == {"joint"}
    assert all((folder / f"yardsticks/fig_yardsticks.{ending}").exists() for ending in ("png", "svg", "pdf"))
    assert (folder / "sequences/s0-1/sequential-rule/order0/mem_dm1.npz").exists()
    for record in (folder / "sequences/s0-1/sequential-rule/order0").glob("*.record.json"):
        read = json.loads(record.read_text())["inputs"]
        assert set(read) == ({"same", "checkpoints", "record"} if "delay_pro" in record.name else {"network"})
    ours, trained = (folder / f"sequences/s0-1/{kind}-rule/order0/delay_pro.npz" for kind in ("sequential", "dni"))
    found, expected = load_arrays(ours), load_arrays(trained)
    assert all(np.array_equal(array, expected[name]) for name, array in found.items()) and "memory_z" not in found
    told, wanted = (json.loads(file.with_suffix(".record.json").read_text()) for file in (ours, trained))
    assert told["curves"] == wanted["curves"] and told["metrics"] == wanted["metrics"]
    assert not (folder / "yardsticks/networks").exists()
    assert not (folder / "yardsticks/sequences/s0-1/dni-rule").exists()
    assert changed.planned("yardsticks") == {} == changed.planned()
