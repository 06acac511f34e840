"""Records and attempts as MLflow will show them, which of them are new, and where they go; all of it without MLflow."""

import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.planning.plan import Plan
from molap.planning.settings import STAGES
from molap.storage.files import record_path, write_json
from molap.storage.found import find_records
from molap.tracking.describe import MAX_ERROR, VARIANTS, describe, describe_failure
from molap.tracking.scan import Known, digest
from molap.tracking.values import MAX_PARAM, flatten, thin, whole
from molap.tracking.where import Place, link, place, why_unreachable

REPOSITORY = Path(__file__).parents[2]
START, START_MS = 1_700_000_000.5, 1_700_000_000_500
NETWORK, TESTSET = "results/tiny/networks/s3-5/molap-cca/mem_dm1.npz", "results/tiny/testsets/mem_dm1.npz"
JOB, SCORES = "tiny/evaluation/s3-5/molap-cca/mem_dm1", {"accuracy": [5.0, 50.0, 95.5], "mse": [0.5, None, np.inf]}
DRAWN, TIMES = {"task": "mem_dm1", "n_trials": 30, "stream": "test"}, {"time/wall_s": 9.5, "time/cpu_s": 8.0}
PROVENANCE = {"git_commit": "abc", "git_dirty": "false", "mlflow.source.git.commit": "abc", "version.numpy": "2.4"}
PROVENANCE |= {"source_digest": "c0de", "mlflow.source.type": "JOB", "lower_is_better": "time/cpu_s,time/wall_s"}


def record_of(stage, chosen, **more):
    plain = {"code": "c0de", "versions": {"numpy": "2.4"}, "inputs": {}, "outputs": {}, "metrics": {}, "curves": {}}
    times, git = {"start": START, "end": START + 10, "wall_s": 9.5, "cpu_s": 8.0}, {"commit": "abc", "dirty": False}
    return {"stage": stage, "settings": chosen} | plain | {"time": times, "git": git} | more


def evaluation_of(seeds, metrics, **more):
    choices = {"kind": "molap-cca", "task": "mem_dm1", "seeds": seeds, "state_noise": 0.5, "criterion": {"window": 30}}
    return record_of("evaluation", choices, metrics=metrics, inputs={"network": NETWORK, "testset": TESTSET}, **more)


@pytest.fixture
def results(tmp_path):
    """A results folder with the records of a network and of its test set."""
    chosen = {"phase": {"n_steps": 8, "n_stages": None}, "seeds": [3, 4, 5], "source": "cca", "state_noise": 0.0}
    counted = {"n_trained": 60, "n_updates": 480, "n_weights": 168, "n_weights_of": {"w_in": 168}, "final_mse": [1.0]}
    write_json(tmp_path / record_path(NETWORK), record_of("head", chosen, metrics=counted))
    write_json(tmp_path / record_path(TESTSET), record_of("testset", DRAWN))
    return tmp_path / "results"


def test_a_job_of_several_network_seeds_becomes_a_run_per_seed_where_values_differ_by_seed(results):
    runs = describe(JOB, evaluation_of([3, 4, 5], SCORES), results)
    shared = TIMES | {"train/n_trained": 60.0, "train/n_updates": 480.0, "train/n_weights": 168.0}
    for seed, run, accuracy, more in zip((3, 4, 5), runs, SCORES["accuracy"], ({"test/mse": 0.5}, {}, {}), strict=True):
        assert (run.key, run.name) == (f"{JOB}:seed{seed}", f"evaluation molap-cca T5 mem_dm1 seed {seed}")
        assert run.tags["network_seeds"] == str(seed) and run.tags["network_job"] == NETWORK[8:-4]
        assert run.metrics == shared | {"test/accuracy": accuracy} | more and run.curves == {}
        assert (run.status, run.start, run.end) == ("FINISHED", START_MS, START_MS + 10_000)
    (run,) = describe(JOB, evaluation_of([3], {"accuracy": [95.5]}), results)
    assert (run.key, run.tags["network_seeds"], run.metrics["test/accuracy"]) == (JOB, "3", 95.5)
    (run,) = describe("tiny/reservoir", record_of("reservoir", {"seeds": [3, 4, 5]}), results)
    assert (run.key, run.name, run.metrics) == ("tiny/reservoir", "reservoir seed 3,4,5", TIMES)
    assert "One job for" not in run.tags["mlflow.note.content"]


def test_parameters_are_the_networks_and_over_them_the_jobs_own_by_dotted_names(results):
    flat = {"a.b.c": "1", "a.b.d": "null", "a.e": "θ", "f": '[1,"x"]', "g": "true", "h": "0.1"}
    assert flatten({"a": {"b": {"c": 1, "d": None}, "e": "θ"}, "f": [1, "x"], "g": True, "h": 0.1, "i": {}}) == flat
    record = evaluation_of([3, 4, 5], SCORES)
    record["settings"] |= {"fits": "x" * MAX_PARAM, "too_long": "x" * (MAX_PARAM + 1), "empty": ""}
    expected = {"phase.n_steps": "8", "phase.n_stages": "null", "source": "cca", "state_noise": "0.5"}
    expected |= {"kind": "molap-cca", "task": "mem_dm1", "criterion.window": "30", "fits": "x" * MAX_PARAM}
    expected |= {"too_long": whole("x" * (MAX_PARAM + 1))}
    assert [run.params for run in describe(JOB, record, results)] == [expected] * 3


@pytest.mark.parametrize("stage", ["head", "separate", "module", "primitives", "corpus"])
def test_metrics_and_curves_stand_under_their_prefix_with_finite_values_spread_over_the_run(results, stage):
    metrics = {"n": 60, "weights": {"a": 1}, "missing": None, "nan": np.nan, "inf": np.inf}
    metrics |= {"r2": [1.0, None, 0.5, 0.25], "nothing": [None, np.nan, None]}
    prefix = {"primitives": "fit", "corpus": "corpus"}.get(stage, "train")
    points = [(1, 1.0, START_MS + 2500), (3, 0.5, START_MS + 7500), (4, 0.25, START_MS + 10_000)]
    losses = np.random.default_rng(0).random((2, 450))
    losses[1, 101:] = np.nan
    record = record_of(stage, {"seeds": [3, 4]}, metrics=metrics, curves={"loss": losses.tolist()})
    for run, loss in zip(describe("tiny/job", record, results), losses, strict=True):
        steps, values, times = zip(*run.curves.pop("train/loss"), strict=True)
        assert list(zip(steps, values, strict=True)) == [point for point in thin(loss.tolist()) if point[1] < 1]
        np.testing.assert_allclose(times, START_MS + np.array(steps) / 450 * 10_000, rtol=0, atol=0.5)
        assert (run.metrics, run.curves) == (TIMES | {f"{prefix}/n": 60.0}, {f"{prefix}/r2": points})


PLAN = Plan(parse_config({"name": "tiny", "seeds": {"networks": 2, "per_job": 2}}))
AT = {"block": "s0-1", "source": "pca", "kind": "separate", "module": "2", "task": "mem_dm1", "figure": "fig4"}
AT |= {"grid": "grid1"}
PCA = {"strategy": "molap", "source": "pca", "kind": "molap-pca"}
CCA = {"strategy": "molap", "source": "cca", "kind": "molap-cca"}
SEPARATE = {"strategy": "separate", "source": "-", "kind": "separate"}
TASK, SEEDS = {"task": "mem_dm1", "label": "T5"}, {"network_seeds": "0,1"}
DNI = {"strategy": "dni", "source": "rule", "kind": "dni-rule", "order": "1"}
JOINT = {"strategy": "joint", "source": "rule", "kind": "joint-rule"}
SHARED = {
    "sequence": ("dni-rule", "order1/mem_dm1"),
    "scores": ("dni-rule", "order1/scores"),
    "joint": ("joint-rule", "joint"),
}
OWN_TAGS = {stage: ({}, stage) for stage in STAGES} | {
    "testset": (TASK, "testset T5 mem_dm1"),
    "primitives": ({"source": "pca"}, "primitives pca"),
    "reservoir": (SEEDS, "reservoir seed 0,1"),
    "module": (PCA | SEEDS | {"module": "2"}, "module 2 molap-pca seed 0,1"),
    "head": (PCA | TASK | SEEDS, "head molap-pca T5 mem_dm1 seed 0,1"),
    "separate": (SEPARATE | TASK | SEEDS, "separate T5 mem_dm1 seed 0,1"),
    "own_network": (SEEDS | {"source": "pca"}, "own_network pca seed 0,1"),
    "validation": (TASK, "validation T5 mem_dm1"),
    "learned": (SEPARATE | SEEDS, "learned separate seed 0,1"),
    "evaluation": (SEPARATE | TASK | SEEDS, "evaluation separate T5 mem_dm1 seed 0,1"),
    "sequence": (DNI | TASK | SEEDS, "sequence dni-rule T5 mem_dm1 seed 0,1"),
    "scores": (DNI | SEEDS, "scores dni-rule seed 0,1"),
    "joint": (JOINT | SEEDS, "joint joint-rule seed 0,1"),
    "example": (SEPARATE | TASK, "example separate T5 mem_dm1"),
    "perturbation": (SEPARATE | TASK | SEEDS, "perturbation separate T5 mem_dm1 seed 0,1"),
    "lesioned": (SEPARATE | TASK | {"network_seeds": "0"}, "lesioned separate T5 mem_dm1 seed 0"),
    "plateau": (TASK | SEEDS, "plateau T5 mem_dm1 seed 0,1"),
    "fig3": (CCA | {"task": "multi_mem", "label": "T9"}, "fig3 molap-cca T9 multi_mem"),
    "fig2": ({"task": "context_mem_dm1", "label": "T7"}, "fig2 T7 context_mem_dm1"),
}
SEARCHED = {"network_seeds": "10000,10001,10002", "grid": "grid1"}
OWN_TAGS |= {
    "search": (SEPARATE | TASK | SEARCHED, "search separate T5 mem_dm1 seed 10000,10001,10002"),
    "search_modules": (PCA | SEARCHED, "search_modules molap-pca seed 10000,10001,10002"),
    "search_sequence": (SEPARATE | SEARCHED, "search_sequence separate seed 10000,10001,10002"),
}


OF_PERTURBED = ("fig3", "fig_curves", "fig_matched")
PLANNED = [
    (stage, name)
    for name in list(PLAN.runs)[::4]
    for stage in STAGES
    if stage not in OF_PERTURBED or PLAN.runs[name].perturbations.tasks != ()
]


@pytest.mark.parametrize(("stage", "name"), PLANNED)
def test_tags_and_title_say_what_a_job_of_every_stage_and_grid_is(results, stage, name):
    grid = "grid1" if "search" in stage else ""
    job, at = f"{name}/tune/{grid}/{stage}" if grid else f"{name}/tune/{stage}", AT
    variant, _, of_variant = name.removeprefix("tiny").removeprefix("/").partition("/")
    if stage in SHARED:
        kind, place = SHARED[stage]
        job, at = f"{name}/sequences/s0-1/{kind}/{place}", AT | {"kind": kind, "order": "1"}
    if stage == "own_network":  # the tiny configuration has no network of the user's own
        settings = {"source": at["source"], "seeds": [0, 1], "content": "abc"}
    else:
        settings = json.loads(PLAN.settings(stage, name, **at))
    (run,) = describe(job, record_of(stage, settings), results)
    own, title = OWN_TAGS[stage]
    expected = {
        "stage": stage,
        "preset": "tiny",
        "run": name,
        "job": job,
        "mlflow.source.name": f"python -m molap.stages.{stage}",
    }
    expected |= own | PROVENANCE | ({VARIANTS[variant]: of_variant} if variant else {})
    note = run.tags.pop("mlflow.note.content")
    assert (run.tags, run.name) == (expected, title) and note.startswith(f"**{title}**, preset tiny.")
    assert re.findall(r"candidates of a grid .*: (\S+)\.\n", note) == [grid] * bool(grid) and "was clean" in note


def test_the_note_tells_inputs_outputs_seeds_and_a_changed_source_tree(results):
    outputs, changed = {"rows": f"results/{JOB}.json"}, {"commit": "abc", "dirty": True}
    run = describe(JOB, record := evaluation_of([3, 4, 5], SCORES, outputs=outputs, git=changed), results)[1]
    _, *read_and_wrote, shared, source, where = run.tags["mlflow.note.content"].split("\n\n")
    assert read_and_wrote == [f"From `{NETWORK}`, `{TESTSET}`.", f"Wrote `results/{JOB}.json`."]
    assert shared.startswith("One job for the network seeds 3, 4, 5") and where.endswith(f"{JOB}.record.json`.")
    assert "held uncommitted" in source and {"curves": {}} | json.loads(run.texts["record.json"]) == record


def test_a_figure_comes_with_its_formats_and_data_a_table_alone_and_arrays_not_at_all(results):
    kept = ["tiny/fig2.png", "tiny/fig2.svg", "tiny/fig2_loss.csv", "tiny/fig2_rates.csv"]
    others = ["fig2.npz", "fig2_w.npz", "fig2.record.json", "fig2.attempt.json", "fig1c.svg", "fig20.csv", "fig2.log"]
    for name in (*kept, *(f"tiny/{other}" for other in others), "tiny/configuration.json"):
        (results / name).write_text("")
    for output, expected in (("fig2.png", kept), ("fig20.csv", ["tiny/fig20.csv"]), ("fig2.npz", []), ("no.csv", [])):
        (run,) = describe("tiny/job", record_of("any", {}, outputs={"out": f"results/tiny/{output}"}), results)
        assert run.artifacts == [results / name for name in ["tiny/configuration.json", *expected]]


def test_the_dataset_is_the_test_set_by_what_determines_it_and_names_the_scores(results):
    expected, digests = [("test mem_dm1", "test/accuracy")] * 3 + [("validation mem_dm1", "val/accuracy")], []
    for choice, more in (({}, {}), ({}, {"time": {}}), ({}, {"code": "other"}), ({"stream": "validation"}, {})):
        write_json(results.parent / record_path(TESTSET), record_of("testset", DRAWN | choice, **more))
        (run,) = describe(JOB, evaluation_of([3], {"accuracy": [95.5]}), results)
        (accuracy,) = (name for name in run.metrics if "accuracy" in name)
        assert (run.dataset["name"], accuracy) == expected[len(digests)] and '"num_trials":30' in run.dataset["profile"]
        digests.append(run.dataset["digest"])
    assert digests[0] == digests[1] and len(set(digests)) == 3 and re.fullmatch("[0-9a-f]{16}", digests[0])
    assert describe("tiny/job", record_of("head", {}), results)[0].dataset is None


def test_a_failure_tells_its_error_or_that_its_job_ended_without_a_word_and_the_end_of_its_log(tmp_path):
    attempt = {"stage": "head", "settings": {"seeds": [3, 4], "source": "cca", "task": "mem_dm1"}, "code": "c0de"}
    attempt |= {"start": START, "end": START + 2, "log": "x.log", "error": "E" * 600, "log_end": "a" * 3000 + "b"}
    (run,) = describe_failure("tiny/job", attempt)
    assert (run.key, run.name, run.status) == ("tiny/job", "head molap-cca T5 mem_dm1 seed 3,4", "FAILED")
    assert (run.start, run.end, run.params) == (START_MS, START_MS + 2000, {"source": "cca", "task": "mem_dm1"})
    assert run.tags["error"] == "E" * MAX_ERROR and f"**Failed**: {'E' * 600}\n" in run.tags["mlflow.note.content"]
    assert "seeds 3, 4. End of the log x.log:\n\n```\n" + "a" * 1999 + "b\n```" in run.tags["mlflow.note.content"]
    assert run.texts["log.txt"] == attempt["log_end"] and json.loads(run.texts["attempt.json"]) == attempt
    (tmp_path / "log").write_text("step 1\n")
    for log, text in ((str(tmp_path / "log"), "step 1\n"), (str(tmp_path / "absent"), None), (None, None)):
        (run,) = describe_failure("a/b", {"stage": "counts", "settings": {}, "code": None, "log": log, "start": START})
        assert (run.status, run.start, run.end, run.texts.get("log.txt")) == ("FAILED", START_MS, START_MS, text)
        assert "killed" in run.tags["error"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 70))
def test_thinning_takes_means_of_equal_stretches(curve, n_points):
    n, ends, expected = min(n_points, len(curve)), [0], []
    for i in range(n):
        ends.append(ends[-1] + len(curve) // n + (i < len(curve) % n))
        expected.append(sum(curve[ends[-2] : ends[-1]]) / (ends[-1] - ends[-2]))
    steps, means = zip(*thin(curve, n_points), strict=True)
    np.testing.assert_allclose(means, expected, rtol=1e-9, atol=1e-6)
    assert list(steps) == ends[1:] and steps[-1] == len(curve) and (np.diff([0, *steps]) > 0).all()
    np.testing.assert_allclose(np.average(means, weights=np.diff([0, *steps])), np.mean(curve), rtol=1e-9, atol=1e-6)


def test_records_and_attempts_without_one_are_found_outside_hidden_folders(tmp_path):
    kept = ["p/a.attempt.json", "p/b.record.json", "q/deep/c.record.json"]
    for name in (*kept, "p/b.attempt.json", ".tracking/d.record.json", "p/.x/y/e.attempt.json", "mlflow/record.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    found = list(find_records(tmp_path))
    assert [(f.job, f.file, f.read()) for f in found] == [(k.split(".")[0], tmp_path / k, k.encode()) for k in kept]
    assert [digest(b""), digest(b"abc")] == ["e3b0c44298fc1c149afbf4c8", "ba7816bf8f01cfea414140de"]
    (tmp_path / kept[1]).write_text("another length")
    assert [a.stamp == b.stamp for a, b in zip(found, find_records(tmp_path), strict=True)] == [True, False, True]


def test_the_memory_knows_versions_of_records_in_one_store_and_forgets_a_damaged_file(results):
    (a, b), store, file = find_records(results), ["uri", "1", 5], results / ".tracking/known.json"
    memory = Known(results)
    memory.belongs_to(store)
    memory.add(a)
    memory.save()
    memory = Known(results)
    memory.belongs_to(store)
    others = [b, a._replace(stamp=(a.stamp[0] + 1, a.stamp[1])), a._replace(file=a.file.with_suffix(".other"))]
    assert (memory.store, memory.knows(a), *map(memory.knows, others)) == (store, True, False, False, False)
    memory.belongs_to(["uri", "1", 6])
    assert (memory.store, memory.knows(a)) == (["uri", "1", 6], False)
    for damaged in (file.read_bytes()[:-9], b"", b"[]", b'"text"', b"{}", b'{"known": {}}', b"\xff"):
        file.write_bytes(damaged)
        assert (Known(results).store, Known(results).knows(a)) == ([], False), damaged


def test_runs_go_to_the_environments_server_else_the_configured_one_else_the_folders_database(tmp_path, monkeypatch):
    default, database = parse_config({}).tracking, tmp_path / "mlflow/mlflow.db"
    configured = parse_config({"tracking": {"uri": "https://host/path/", "experiment": "mine"}}).tracking
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    assert place(default, tmp_path / "x" / "..") == Place(f"sqlite:///{database}", "molap", database)
    assert place(configured, tmp_path) == Place("https://host/path", "mine", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://other:5000/")
    assert place(configured, tmp_path) == Place("http://other:5000", "mine", None)
    none = ("http://", "http:///x", "http://host name", "http://h:abc", "http://[::1", "http://h:99999")
    for refused in ("sqlite:///a.db", "host:5000", " http://host", "ftp://a\nb", *none):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", refused)
        with pytest.raises(ConfigError, match=rf"\AMLFLOW_TRACKING_URI: {re.escape(repr(refused))} is .*unset it\Z"):
            place(configured, tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@host")
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_USERNAME") as refusal:
        place(configured, tmp_path)
    assert "secret" not in str(refusal.value)
    page = "http://host/#/experiments/3/runs?viewStateShareKey=mine&workflowType=machine_learning&compareRunsMode=CHART"
    assert link("http://host/", "3", "mine", "CHART") == link("http://host", "3", "mine", "CHART") == page


def test_a_server_is_used_only_if_it_answers_that_it_is_well(monkeypatch, tmp_path):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            code = int(self.path.removeprefix("/").removesuffix("/health"))
            self.send_error(code) if code else threading.Event().wait(2)

    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        found = [why_unreachable(Place(f"{uri}/{code}", "molap", None), timeout_s=0.5) for code in (200, 403, 503, 0)]
        server.shutdown()
    found.append(why_unreachable(Place(uri, "molap", None)))
    assert found[0] is why_unreachable(Place("sqlite:///a.db", "molap", tmp_path / "a.db")) is None
    expected = ["/403 answers 403 .*", "/503 answers 503 .*", r"/0 does not .*timed out.*", " does not .*refused.*"]
    assert all(re.fullmatch(uri + line, why) for line, why in zip(expected, found[1:], strict=True)), found


def test_settings_of_the_tracking_are_refused_in_one_line_with_field_and_value():
    values = [("uri", "sqlite:///a"), ("uri", ""), ("uri", "a\nb"), ("uri", 3), ("experiment", ""), ("interval_s", 61)]
    values += [("experiment", "x" * 201), ("interval_s", 0.5), ("interval_s", "often"), ("enabled", "perhaps")]
    lines = [({"tracking": {name: value}}, rf"tracking\.{name}: {re.escape(repr(value))} is") for name, value in values]
    lines += [({"tracking": {"url": ""}}, "tracking.url: unknown key"), ({"name": "mlflow"}, "name: 'mlflow' is not")]
    for refused, line in lines:
        with pytest.raises(ConfigError, match=rf"\A{line}.+\Z"):
            parse_config(refused)


def test_neither_stages_nor_plan_nor_the_workflows_side_of_the_tracking_import_mlflow():
    text = """import importlib.util, molap.stages, pkgutil, sys
names = [f"molap.stages.{module.name}" for module in pkgutil.iter_modules(molap.stages.__path__)]
tracking = ("launch", "describe", "scan", "where", "importer")
names += ["molap.planning.plan", *(f"molap.tracking.{name}" for name in tracking)]
for name in names: importlib.import_module(name)
print(len(names), importlib.util.find_spec("mlflow") is not None, [name for name in sys.modules if "mlflow" in name])"""
    n_modules = len(list((REPOSITORY / "molap" / "stages").glob("[a-z]*.py"))) + 6
    imported = subprocess.check_output([sys.executable, "-c", text], text=True, cwd=REPOSITORY, timeout=120)
    assert imported == f"{n_modules} True []\n"
