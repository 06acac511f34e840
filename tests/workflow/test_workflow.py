"""The workflow end to end on the tiny configuration: outputs, stages by hand."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd

TABLES_AND_FIGURES = {
    "performance",
    "counts",
    "table1",
    "components",
    "curves",
    "fig1c",
    "fig2",
    "configuration",
    "pages",
    "provenance",
}
N_RECORDS = 108


def test_every_stage_leaves_its_outputs_and_a_record(finished):
    records = [json.loads(path.read_text()) for path in (finished.folder / "results/tiny").rglob("*.record.json")]
    assert len(records) == N_RECORDS
    assert {r["stage"] for r in records} >= TABLES_AND_FIGURES | {"corpus", "module", "head", "separate", "evaluation"}
    for record in records:
        assert record["code"] and record["versions"]["jax"] and record["machine"]["cores"] > 0
        assert record["time"]["end"] >= record["time"]["start"] > 1.7e9
        assert record["time"]["cpu_s"] > 0 and record["time"]["peak_memory_mb"] > 10
    figures = {path.name for path in (finished.folder / "results/tiny/figures").iterdir()}
    for name in ("fig1c", "fig2", "fig3", "fig_dni"):
        assert figures >= {f"{name}.png", f"{name}.svg", f"{name}.pdf"}
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


def _stage(scratch, stage, *arguments):
    """Run a stage's program by hand; arguments before the first option are wildcards of its settings."""
    n = next(i for i, argument in enumerate(arguments) if argument.startswith("--"))
    plan = [sys.executable, "-m", "molap.planning.plan", stage, *arguments[:n], "--config", "tiny.yaml"]
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
