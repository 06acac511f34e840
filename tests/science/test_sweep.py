"""The sweep of perturbed networks as a stage: its table, what it keeps for later, its memory."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molap.config.perturbations import PerturbationReadings
from molap.evaluation.perturbations import module_of
from molap.evaluation.sweep import _perturbed, perturb, perturbation_key
from molap.evaluation.sweep_memory import PROCESS_MB, sweep_mb
from molap.jobs.job import run_job
from molap.networks.rnn import Params, from_arrays, select_network
from molap.stages import evaluation, perturbation
from molap.storage.files import canonical_json, save_arrays

N, N_STEPS, N_TRIALS, SEEDS = 8, 12, 100, (3, 4)
STRENGTHS = {"module1": [20.0, 60.0], "inter_module": [30.0], "silence": [25.0], "noise": [0.1, 0.2]}
N_PERTURBED = len(SEEDS) * 2 * sum(map(len, STRENGTHS.values()))


def settings(**changes):
    values = {"kind": "separate", "task": "mem_pro", "seeds": SEEDS, "n_modules": 2, "strengths": STRENGTHS, "draws": 2}
    values |= {"n_trials": N_TRIALS, "state_noise": 0.0, "data_seed": 1, "readings": {}}
    return values | {"criterion": {"window": 4, "tolerance": 0.3, "fixation_tolerance": 0.3}} | changes


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"), N, N_STEPS, N_TRIALS, "one", "other")


def write_files(folder, n, n_steps, n_trials, *networks):
    """Networks of two seeds each, without zeros, and a test set on which some of their decisions are correct."""
    found = {}
    for i, name in enumerate(networks):
        rng, found[name] = np.random.default_rng(i), folder / f"{name}.npz"
        arrays = {"w_in": (2, n, 3), "w_rec": (2, n, n), "w_out": (2, 2, n)}
        arrays = {array: (rng.normal(size=shape) / np.sqrt(shape[-1])) for array, shape in arrays.items()}
        save_arrays(found[name], {}, **{array: values.astype(np.float32) for array, values in arrays.items()})
    inputs = rng.normal(size=(n_steps, n_trials, 3)).astype(np.float32)
    targets = rng.uniform(-0.5, 0.5, (n_steps, n_trials, 2)).astype(np.float32)
    save_arrays(folder / "test.npz", {}, inputs=inputs, targets=targets)
    return found | {"testset": folder / "test.npz"}


def run_stage(stage, module, values, output, **inputs):
    words = ["--settings", canonical_json(values), "--output", output]
    for name, file in inputs.items():
        words += ["--input", f"{name}={file}"]
    run_job(stage, module.Settings, module.work, words)


@pytest.mark.parametrize("name", ["module1", "inter_module", "whole", "noise", "silence"])
def test_a_perturbation_has_one_program_for_tasks_of_any_channels(name):
    """Compiling it takes far longer than running it. Silencing units clamps the readout as well."""
    programs = set()
    for n_inputs, n_outputs in ((2, 3), (3, 3), (3, 3 if name == "silence" else 1)):
        network = Params(*(np.ones(shape, np.float32) for shape in ((N, n_inputs), (N, N), (n_outputs, N))))
        key, readings = perturbation_key(0, name, 0), PerturbationReadings()
        programs.add(_perturbed.lower(key, 0, network, name, (10.0, 20.0), readings, module_of(N, 2)).as_text())
    assert len(programs) == 1


def run_sweep(folder, files, network="one", **changes):
    inputs = {"network": files[network], "testset": files["testset"]}
    run_stage("perturbation", perturbation, settings(**changes), f"table={folder}/t.csv", **inputs)
    return folder / "t.csv"


@pytest.fixture(autouse=True)
def _without_git(monkeypatch):
    monkeypatch.setattr("molap.jobs.job._git", dict)


@pytest.fixture
def scored(monkeypatch):
    """How many networks the stage has scored; after `at_most` it is interrupted."""
    count, score = Counter(at_most=10**6), perturbation.metrics

    def counting(*arguments):
        if count["n"] == count["at_most"]:
            raise RuntimeError("interrupted")
        count["n"] += 1
        return score(*arguments)

    monkeypatch.setattr(perturbation, "metrics", counting)
    return count


@pytest.fixture(scope="module")
def undisturbed(files, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("molap.jobs.job._git", dict)
        return run_sweep(tmp_path_factory.mktemp("undisturbed"), files)


def test_a_sweep_has_one_row_per_seed_perturbation_strength_and_draw(undisturbed):
    table = pd.read_csv(undisturbed)
    first = ["strategy", "source", "n_units", "task", "perturbation", "strength", "n_hit", "draw", "network_seed"]
    metrics = ["accuracy", "decision_accuracy", "all_correct", "mse", "response_mse", "best_constant"]
    assert table.columns.tolist() == [*first, *metrics, "accuracy_output1", "accuracy_output2"]
    expected = []
    for seed in SEEDS:
        expected.append((seed, "intact", 0.0, 0, 0))
        n_hit = {("module1", 20.0): 3, ("module1", 60.0): 9, ("inter_module", 30.0): 9, ("silence", 25.0): 2}
        for name, strengths in STRENGTHS.items():
            expected += [(seed, name, s, draw, n_hit.get((name, s), 64)) for s in strengths for draw in (0, 1)]
    columns = ["network_seed", "perturbation", "strength", "draw", "n_hit"]
    assert sorted(table[columns].itertuples(index=False, name=None)) == sorted(expected)
    assert set(table[first[:4]].itertuples(index=False, name=None)) == {("separate", "-", 8, "mem_pro")}
    assert table.mse.nunique() > 0.8 * len(table) and table.accuracy.nunique() > 5


@pytest.mark.parametrize("state_noise", [0.0, 0.2])
def test_the_intact_network_scores_as_in_the_evaluation(files, tmp_path, state_noise):
    table = pd.read_csv(run_sweep(tmp_path, files, strengths={}, state_noise=state_noise))
    inputs = {"network": files["one"], "testset": files["testset"]}
    values = {name: settings()[name] for name in ("kind", "task", "seeds", "criterion", "data_seed")}
    values |= {"state_noise": state_noise}
    run_stage("evaluation", evaluation, values, f"rows={tmp_path}/rows.json", **inputs)
    for row, expected in zip(table.to_dict("records"), json.loads((tmp_path / "rows.json").read_text()), strict=True):
        assert row.pop("perturbation") == "intact" and row["network_seed"] == expected["network_seed"]
        for name in expected.keys() - {"n_test_trials"}:
            tolerance = 0 if state_noise == 0 or "accuracy" in name else 1e-6  # there noise is added within one program
            assert row[name] == pytest.approx(float(f"{expected[name]:.9g}"), rel=tolerance, abs=0), name


def test_on_fewer_trials_the_first_of_the_test_set_count(files, tmp_path):
    table = pd.read_csv(run_sweep(tmp_path, files, strengths={}, n_trials=90))
    arrays = dict(np.load(files["testset"]))
    save_arrays(tmp_path / "test.npz", {}, **{name: arrays[name][:, :90] for name in ("inputs", "targets")})
    fewer = pd.read_csv(run_sweep(tmp_path, files | {"testset": tmp_path / "test.npz"}, strengths={}, n_trials=90))
    pd.testing.assert_frame_equal(table, fewer)
    assert not table.equals(pd.read_csv(run_sweep(tmp_path, files, strengths={})))


def test_a_sweep_run_again_computes_nothing_and_writes_the_same_bytes(files, undisturbed, tmp_path, scored, capsys):
    table = run_sweep(tmp_path, files)
    assert table.read_bytes() == undisturbed.read_bytes() and scored["n"] == N_PERTURBED + len(SEEDS)
    assert f"seed 4: silence  {N_PERTURBED}/{N_PERTURBED} networks, " in capsys.readouterr().out
    table.unlink()
    assert run_sweep(tmp_path, files).read_bytes() == undisturbed.read_bytes()
    assert scored["n"] == N_PERTURBED + len(SEEDS)
    assert capsys.readouterr().out.count(" networks, 0 per second, ") == len(SEEDS) * len(STRENGTHS)


def test_more_strengths_draws_and_seeds_leave_what_was_there(files, undisturbed, tmp_path, scored):
    before = pd.read_csv(run_sweep(tmp_path, files, seeds=SEEDS[:1])).to_dict("records")
    more = {"strengths": STRENGTHS | {"inter_module": [10.0, 30.0], "whole": [5.0]}, "draws": 3}
    scored["n"] = 0
    extended = run_sweep(tmp_path, files, **more)
    n_all = len(SEEDS) * 3 * (6 + 2)
    assert scored["n"] == n_all + len(SEEDS) - len(before)
    rows = pd.read_csv(extended).to_dict("records")
    assert len(rows) == n_all + len(SEEDS)
    assert all(row in rows for row in [*before, *pd.read_csv(undisturbed).to_dict("records")])
    scored["n"] = 0
    assert run_sweep(tmp_path, files).read_bytes() == undisturbed.read_bytes() and scored["n"] == 0
    (tmp_path / "fresh").mkdir()
    assert run_sweep(tmp_path / "fresh", files, **more).read_bytes() == run_sweep(tmp_path, files, **more).read_bytes()


@pytest.mark.parametrize("done", [1, 8, 20])
def test_a_sweep_that_was_killed_goes_on_where_it_was(files, undisturbed, tmp_path, scored, done):
    """What belongs to the perturbation that was being computed is lost, at most."""
    scored["at_most"] = done
    with pytest.raises(SystemExit):
        run_sweep(tmp_path, files)
    assert not (tmp_path / "t.csv").exists() and scored["n"] == done
    scored.update(at_most=10**6, n=-done)
    table = run_sweep(tmp_path, files)
    assert table.read_bytes() == undisturbed.read_bytes()
    kept = N_PERTURBED + len(SEEDS) - scored["n"]
    assert done - 4 < kept <= done


@pytest.mark.parametrize(
    "change", ["network", "testset", "criterion", "n_modules", "readings", "data_seed", "damage", "empty"]
)
def test_what_comes_of_anything_else_is_not_used(files, tmp_path, scored, change):
    before = run_sweep(tmp_path, files, strengths={"module1": [60.0]})
    cells, first = tmp_path / "t.cells.npz", before.read_bytes()
    changes, used = {}, files
    if change in ("network", "testset"):
        arrays = {name: value for name, value in np.load(files["one" if change == "network" else change]).items()}
        arrays = {name: value * np.float32(1.01) for name, value in arrays.items() if name != "provenance"}
        save_arrays(tmp_path / "changed.npz", {}, **arrays)
        used = files | {"one" if change == "network" else change: tmp_path / "changed.npz"}
    elif change in ("damage", "empty"):
        cells.write_bytes(cells.read_bytes()[:-100] if change == "damage" else b"")
    else:
        value = {"criterion": {"window": 5}, "n_modules": 4, "data_seed": 2, "readings": {"biases": "hit"}}[change]
        changes = {change: value}
    scored["n"] = 0
    after = run_sweep(tmp_path, used, strengths={"module1": [60.0]}, **changes).read_bytes()
    assert scored["n"] == len(SEEDS) * 3
    assert (after == first) == (
        change in ("damage", "empty", "readings")
    )  # without biases, their reading changes nothing


def test_networks_of_every_kind_are_hit_at_the_same_places(files, tmp_path, monkeypatch):
    """As the stage perturbs them, and as `perturb` does by hand."""
    seen, run_many = {"one": [], "other": []}, perturbation.run_many
    for network, kind in (("one", "separate"), ("other", "molap-cca")):
        keep = seen[network].append
        watched = lambda networks, *rest, keep=keep: run_many((keep(item) or item for item in networks), *rest)  # noqa: E731
        monkeypatch.setattr(perturbation, "run_many", watched)
        (tmp_path / kind).mkdir()
        run_sweep(tmp_path / kind, files, network, kind=kind)
    assert len(seen["one"]) == len(seen["other"]) == N_PERTURBED + len(SEEDS)
    n_zeros = set()
    for one, other in zip(seen["one"], seen["other"], strict=True):
        assert (one.strength, one.draw, one.n_hit) == (other.strength, other.draw, other.n_hit)
        zeros, others = (np.asarray(item.network.w_rec) == 0 for item in (one, other))
        np.testing.assert_array_equal(zeros, others)
        assert not np.array_equal(one.network.w_rec, other.network.w_rec)
        n_zeros.add(int(zeros.sum()))
    assert n_zeros == {0, 3, 9, 2 * 8}
    network = select_network(from_arrays(dict(np.load(files["other"]))), 0)
    key = perturbation_key(1, "module1", SEEDS[0])
    ((lesioned, _),) = perturb(key, 1, network, "module1", (60.0,), PerturbationReadings(), module_of(N, 2))
    place = next(i for i, item in enumerate(seen["one"]) if (item.strength, item.draw) == (60.0, 1))
    np.testing.assert_array_equal(seen["one"][place].network.w_rec == 0, lesioned.w_rec == 0)


def test_too_little_memory_is_refused_in_one_line(files, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MOLAP_MEMORY_MB", "100")
    with pytest.raises(SystemExit):
        run_sweep(tmp_path, files)
    needed = f"failed: ValueError: mem_mb: 100 is not enough; one network on this test set needs {PROCESS_MB} MB; log: "
    (line,) = capsys.readouterr().err.splitlines()
    assert needed in line and not (tmp_path / "t.csv").exists()


@pytest.mark.exhaustive
def test_a_job_stays_below_the_memory_that_the_workflow_asks_for(tmp_path):
    files = write_files(tmp_path, 100, 110, 250, "one")
    strengths = {
        "module1": [2, 30],
        "module2": [2],
        "inter_module": [30],
        "whole": [1, 30],
        "silence": [30],
        "noise": [0.02],
    }
    command = [sys.executable, "-m", "molap.stages.perturbation", "--output", "table=t.csv", "--settings"]
    command += [canonical_json(settings(strengths=strengths, n_trials=250, state_noise=0.1))]
    command += ["--input", f"network={files['one']}", "--input", f"testset={files['testset']}"]
    limits = {"MOLAP_MEMORY_MB": str(sweep_mb(100, 250)), "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run(command, check=True, cwd=tmp_path, env=os.environ | limits, stdout=subprocess.DEVNULL)
    assert 100 < json.loads((tmp_path / "t.record.json").read_text())["time"]["peak_memory_mb"] < sweep_mb(100, 250)
