"""The workflow end to end on the tiny configuration: outputs, exact re-runs, interruptions, refusals."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from workflow_helpers import Scratch

TABLES_AND_FIGURES = {"performance", "counts", "table1", "components", "curves", "fig1c", "fig2", "configuration"}
GENERALISED = {"generalisation": 1, "differences": 1, "fig5": 1}
LEARNED = {"learning": 1, "fig_learning": 1}
AFTER_COUNTS = {"counts": 1, "table1": 1, "fig1c": 1} | LEARNED
AFTER_NETWORKS = {"performance": 1, "curves": 1, "fig2": 1, "fig_dni": 1} | AFTER_COUNTS
PERTURBED_FIGURES = {"fig3": 1, "fig_curves": 5, "fig_matched": 1, "fig_areas": 1}
AFTER_SWEEPS = {"robustness": 1, "areas": 1} | PERTURBED_FIGURES
SWEEPS = {"perturbation": 4, "lesioned": 1} | AFTER_SWEEPS
OF_ONE_KIND = SWEEPS | {"perturbation": 2}
SCORES = {"scores": 1, "continual": 1, "forgetting": 1}
SHARED = {"sequence": 3, "joint": 1} | SCORES
NOT_SHARED = dict.fromkeys(SHARED, 0)
ALL_NETWORKS = {"head": 11, "separate": 3, "evaluation": 20, "learned": 6, "example": 2}
ALL_NETWORKS |= SHARED | AFTER_NETWORKS | SWEEPS | GENERALISED
ONLY_SEPARATE = {"separate": 3, "evaluation": 3, "learned": 1, "perturbation": 2} | AFTER_NETWORKS | AFTER_SWEEPS
N_RECORDS = 101


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of the tiny configuration."""
    scratch = Scratch(tmp_path_factory.mktemp("finished"))
    result = scratch.run()
    assert result.returncode == 0, result.stdout + result.stderr
    return scratch


@pytest.fixture
def changed(finished, tmp_path):
    """A copy of the finished run that a test may change."""
    folder = tmp_path / "changed"
    shutil.copytree(finished.folder, folder, copy_function=shutil.copy2)
    scratch = object.__new__(Scratch)
    scratch.folder = folder
    return scratch


def test_every_stage_leaves_its_outputs_and_a_record(finished):
    records = [json.loads(path.read_text()) for path in (finished.folder / "results/tiny").rglob("*.record.json")]
    assert len(records) == N_RECORDS
    assert {r["stage"] for r in records} >= TABLES_AND_FIGURES | {"corpus", "module", "head", "separate", "evaluation"}
    for record in records:
        assert record["code"] and record["versions"]["jax"]
        assert record["time"]["end"] >= record["time"]["start"] > 1.7e9
        assert record["time"]["cpu_s"] > 0 and record["time"]["peak_memory_mb"] > 10
    figures = {path.name for path in (finished.folder / "results/tiny/figures").iterdir()}
    assert figures >= {f"{name}.{end}" for name in ("fig1c", "fig2", "fig3", "fig_dni") for end in ("png", "svg")}
    assert not [path for path in (finished.folder / "results/tiny").rglob(".*")], "something half-written"
    head = next(r for r in records if r["stage"] == "head")
    assert np.shape(head["curves"]["mse"]) == (2, 8)


def test_performance_has_a_row_per_network_seed(finished):
    table = pd.read_csv(finished.folder / "results/tiny/tables/performance.csv")
    keys = ["strategy", "source", "task", "network_seed"]
    assert len(table) == 3 * 6 * 2 and not table.duplicated(keys).any()
    assert set(table.source) == {"-", "cca", "pca", "none", "rule"}
    assert table.accuracy.between(0, 100).all() and table.best_constant.between(1, 100).all()


def test_arrays_hold_their_provenance(finished):
    with np.load(finished.folder / "results/tiny/networks/s0-1/molap-cca/mem_dm1.npz") as file:
        provenance = json.loads(str(file["provenance"]))
        assert file["w_in"].shape == (2, 12, 2) and file["seeds"].tolist() == [0, 1]
    assert provenance["settings"]["task"] == "mem_dm1" and provenance["code"]


def test_heads_leave_the_pre_trained_network_as_it_was(finished):
    networks = finished.folder / "results/tiny/networks/s0-1"
    for source, before in (("cca", "molap-cca/module2"), ("pca", "molap-pca/module2"), ("none", "reservoir")):
        with np.load(networks / f"{before}.npz") as frozen, np.load(networks / f"molap-{source}/mem_dm1.npz") as head:
            np.testing.assert_array_equal(frozen["w_rec"], head["w_rec"])


def test_only_the_module_that_is_trained_changes(finished):
    networks = finished.folder / "results/tiny/networks/s0-1"
    w_rec = [
        np.load(networks / name)["w_rec"]
        for name in ("reservoir.npz", "molap-cca/module1.npz", "molap-cca/module2.npz")
    ]
    for before, after, units in ((w_rec[0], w_rec[1], slice(0, 6)), (w_rec[1], w_rec[2], slice(6, 12))):
        inside = np.zeros((12, 12), bool)
        inside[units, units] = True
        np.testing.assert_array_equal(before[:, ~inside], after[:, ~inside])
        assert (before[:, inside] != after[:, inside]).all()


def test_nothing_is_planned_after_a_finished_run(finished):
    assert finished.planned() == {}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("molap/network.py", '"""The recurrent network', '"""The  network'),
        ("molap/training.py", "    # Many steps in one program", "    # A scan"),
        ("molap/tasks/trial.py", "N_STEPS = 110\n", "N_STEPS = 110  # steps\n\n\n"),
    ],
)
def test_comments_docstrings_and_layout_plan_nothing(changed, file, old, new):
    changed.edit(file, old, new)
    assert changed.planned() == {}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("molap/figures/fig1c.py", "ylim=(50, 3e7)", "ylim=(10, 3e7)", {"fig1c": 1}),
        (
            "molap/figures/style.py",
            '"font.size": 9',
            '"font.size": 8',
            dict.fromkeys(("fig1c", "fig2", "fig_dni", "fig5", "fig_learning", "fig_scaling"), 1) | PERTURBED_FIGURES,
        ),
        (
            "molap/evaluation.py",
            "deviation <= tolerances",
            "deviation < tolerances",
            {"evaluation": 20, "learned": 6, "example": 2, "performance": 1, "fig2": 1, "fig_dni": 1}
            | SCORES
            | LEARNED
            | GENERALISED
            | {"perturbation": 4}
            | AFTER_SWEEPS,
        ),
        (
            "molap/modules.py",
            "size = n_units // n_modules",
            "size = int(n_units / n_modules)",
            {"module": 8} | ALL_NETWORKS,
        ),
        ("molap/network.py", "carry.sum(axis=0)", "carry.sum(0)", {"reservoir": 1, "module": 8} | ALL_NETWORKS),
        (
            "molap/fits.py",
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
            "molap/dni.py",
            "values / (values + alpha)",
            "1 / (1 + alpha / np.maximum(values, 1e-300))",
            {"sequence": 3, "evaluation": 3, "learned": 1} | SCORES | AFTER_NETWORKS,
        ),
    ],
)
def test_a_changed_module_reruns_what_imports_it(changed, file, old, new, expected):
    changed.edit(file, old, new)
    assert changed.planned() == {rule: count for rule, count in expected.items() if count}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"evaluation": {"tolerance": 0.2}},
            {"evaluation": 20, "learned": 6, "performance": 1, "fig2": 1, "fig_dni": 1, "perturbation": 4}
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
        ({"tune": {"n_trials": 50}}, {}),
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
    assert changed.planned() == configuration | {rule: count for rule, count in expected.items() if count}


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
    assert changed.planned() == expected


def test_a_further_task_reruns_the_corpus_but_no_other_task_of_the_random_reservoir(changed):
    changed.set(tasks={"names": ["delay_pro", "mem_dm1", "context_mem_dm1", "mem_pro"]})
    planned = changed.planned()
    assert planned["testset"] == 1 and planned["separate"] == 1 and planned["validation"] == 1
    assert planned["head"] == 4 + 4 + 1 + 2 and planned["corpus"] == 2
    assert planned["sequence"] == 1 and planned["joint"] == 1


def test_a_killed_run_resumes_to_the_same_bytes(finished, tmp_path):
    killed = Scratch(tmp_path)
    killed.kill_after(n_jobs=20)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.record.json")}
    assert len(kept) >= 20
    killed.run("--unlock")
    result = killed.run("--rerun-incomplete")
    assert result.returncode == 0, result.stdout + result.stderr
    repeated = [path for path, time in kept.items() if path.stat().st_mtime_ns != time]
    assert len(repeated) <= 2, "only jobs that were running may be repeated"
    ours, theirs = killed.outputs(), finished.outputs()
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == [], first_difference(ours, theirs)


def first_difference(ours, theirs):
    """What to look at when bytes differ: the first place in each file."""
    found = {}
    for name in ours:
        if ours[name] != theirs[name]:
            pairs = enumerate(zip(ours[name], theirs[name], strict=False))
            at = next((i for i, (a, b) in pairs if a != b), min(len(ours[name]), len(theirs[name])))
            found[name] = at, ours[name][at - 40 : at + 40], theirs[name][at - 40 : at + 40]
    return found


def test_the_search_for_the_optimiser_shares_what_it_can(changed):
    planned = changed.planned("tune")
    assert planned == {
        "testset": 1,
        "reservoir": 1,
        "module": 4,
        "separate": 2,
        "head": 4,
        "evaluation": 6,
        "tune_table": 1,
        "fig_tune": 1,
    }
    result = changed.run("tune")
    assert result.returncode == 0, result.stdout + result.stderr
    table = pd.read_csv(changed.folder / "results/tiny/tune/tune_table.csv")
    assert len(table) == 2 * 3 and set(table.decay) == {"cosine", "stages"}


def test_a_chain_without_a_task_reads_its_own_corpus_and_what_it_may_share(finished):
    results = finished.folder / "results/tiny"
    chain = results / "without/delay_pro"
    read = {}
    for file in chain.rglob("*.record.json"):
        record = json.loads(file.read_text())
        read[file.relative_to(chain).as_posix()] = sorted(record["inputs"].values())
        assert all((finished.folder / path).is_file() for path in record["inputs"].values())
    own, shared = "results/tiny/without/delay_pro", "results/tiny"
    for source in ("cca", "pca"):
        networks = f"networks/s0-1/molap-{source}"
        fit, first, second = f"primitives/{source}", f"{networks}/module1", f"{networks}/module2"
        assert read.pop(f"{fit}.record.json") == [f"{own}/corpus/corpus.npz"]
        reservoir = f"{shared}/networks/s0-1/reservoir.npz"
        assert read.pop(f"{first}.record.json") == sorted([reservoir, f"{own}/{fit}.npz"])
        assert read.pop(f"{second}.record.json") == sorted([f"{own}/{first}.npz", f"{own}/{fit}.npz"])
        assert read.pop(f"{networks}/delay_pro.record.json") == [f"{own}/{second}.npz"]
        trials = f"{shared}/testsets/delay_pro.npz"
        scored = read.pop(f"evaluation/s0-1/molap-{source}/delay_pro.record.json")
        assert scored == sorted([f"{own}/{networks}/delay_pro.npz", trials])
    assert read == {"corpus/corpus.record.json": []}


def test_a_network_of_one_s_own_joins_heads_tables_and_figures(changed):
    rng = np.random.default_rng(0)
    own = changed.folder / "my networks"
    own.mkdir()
    np.savez(own / "cortex.npz", w_rec=rng.normal(0, 0.5, (9, 9)), modules=np.repeat([1, 2, 3], 3))
    perturbed = {"kinds": ["separate", "molap-cca", "molap-cortex"]}
    changed.set(reservoirs={"files": {"cortex": "my networks/cortex.npz"}}, perturbations=perturbed)
    planned = changed.planned()
    assert {"given": 1, "head": 3, "evaluation": 3, "perturbation": 2, "learned": 1}.items() <= planned.items()
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


def _stage(scratch, stage, *arguments):
    """Run a stage's program by hand; arguments before the first option are wildcards of its settings."""
    n = next(i for i, argument in enumerate(arguments) if argument.startswith("--"))
    plan = [sys.executable, "-m", "molap.plan", stage, *arguments[:n], "--config", "tiny.yaml"]
    common = {"cwd": scratch.folder, "env": scratch.environment, "text": True, "capture_output": True}
    settings = subprocess.run(plan, check=True, **common).stdout.strip()
    command = [sys.executable, "-m", f"molap.stages.{stage}", "--settings", settings, *arguments[n:]]
    return subprocess.run(command, check=False, **common)


def test_a_stage_runs_by_hand_to_the_same_bytes(finished, tmp_path):
    result = _stage(finished, "reservoir", "block=s0-1", "--output", f"arrays={tmp_path}/reservoir.npz")
    assert result.returncode == 0, result.stderr
    made = (finished.folder / "results/tiny/networks/s0-1/reservoir.npz").read_bytes()
    assert (tmp_path / "reservoir.npz").read_bytes() == made


def test_a_failing_job_names_stage_task_seeds_and_log(finished, tmp_path):
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes((finished.folder / "results/tiny/networks/s0-1/reservoir.npz").read_bytes()[:500])
    log = tmp_path / "logs" / "head.log"
    files = ["--input", f"network={damaged}", "--output", f"arrays={tmp_path}/x.npz", "--log", str(log)]
    result = _stage(finished, "head", "block=s0-1", "source=none", "task=mem_dm1", *files)
    assert result.returncode == 1
    (line,) = result.stderr.strip().splitlines()
    for part in ("molap head", "source=none", "task=mem_dm1", "seeds=0,1", "damaged.npz is damaged", str(log)):
        assert part in line
    assert "Traceback" in log.read_text()
    assert not (tmp_path / "x.npz").exists()


def test_a_job_refuses_code_other_than_planned(finished, tmp_path):
    files = ["--code", "0123456789ab", "--output", f"arrays={tmp_path}/x.npz"]
    result = _stage(finished, "reservoir", "block=s0", *files)
    assert result.returncode == 1 and "planned 0123456789ab" in result.stderr
    assert not (tmp_path / "x.npz").exists()


def test_a_module_without_a_component_is_refused(finished, tmp_path):
    folder = finished.folder / "results/tiny"
    files = [f"network={folder}/networks/s0-1/reservoir.npz", f"primitives={folder}/primitives/cca.npz"]
    arguments = ["--input", files[0], "--input", files[1], "--output", f"arrays={tmp_path}/x.npz"]
    result = _stage(finished, "module", "block=s0-1", "source=cca", "module=9", *arguments)
    assert result.returncode == 1
    assert "there is no component for module 9, the cca fit of this corpus has" in result.stderr
