"""A finished run opened from Python: what it loads, what it says, and that its networks are the workflow's."""

import functools
import inspect
import json
import os
import shutil
import subprocess
import sys
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from workflow_helpers import REPOSITORY

import molap
from molap.analysis.robustness import INTACT
from molap.config.base import ConfigError
from molap.networks.rnn import Params, run
from molap.opened.columns import COLUMNS, about
from molap.opened.fixed_points import find_fixed_points
from molap.opened.network import Network
from molap.opened.trials import Trials
from molap.planning.tables import TABLES
from molap.storage.files import load_arrays


def fresh(text: str) -> str:
    """What a new Python prints; modules that the tests have loaded do not count."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept |= {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, env=kept).stdout


@pytest.fixture(scope="module")
def opened(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the installed version may be older than the sources
        return molap.open(finished.folder / "results" / "tiny")


def unchecked(method):
    """Return a method as users call it, without the tests' check of types."""
    return functools.partial(inspect.unwrap(method.__func__), method.__self__)


def test_importing_loads_nothing_from_outside_the_standard_library():
    text = "import sys; before = {*sys.modules}; import molap"
    text += "; print(*{name.split('.')[0] for name in {*sys.modules} - before} - {*sys.stdlib_module_names})"
    assert fresh(text).split() == ["molap"]


def test_what_is_loaded_when_it_is_used():
    text = "import molap; print(molap.figures.fig2.__name__, molap.primitives.CCA.__name__, 'open' in dir(molap))"
    assert fresh(text) == "fig2 CCA True\n"
    with pytest.raises(AttributeError, match=r"module .molap. has no attribute .close."):
        _ = molap.close


def test_opening_loads_neither_jax_nor_mlflow_nor_pandas(finished):
    folder = finished.folder / "results" / "tiny"
    text = f"import sys, warnings, molap; warnings.simplefilter('ignore'); run = molap.open('{folder}')"
    text += "; repr(run); print([n for n in ('jax', 'mlflow', 'pandas', 'sklearn', 'matplotlib') if n in sys.modules])"
    text += "; run.performance; print([n for n in ('jax', 'mlflow', 'sklearn', 'matplotlib') if n in sys.modules])"
    assert fresh(text) == "[]\n[]\n"


def test_tables_are_frames_with_documented_columns(opened, finished):
    assert opened.missing == [] and {"performance", "robustness", "areas", "learning"} <= {*opened.tables}
    assert {*opened.tables} <= {*dir(opened)}
    for name in opened.tables:
        frame = opened.table(name)
        written = pd.read_csv(
            finished.folder / f"results/tiny/tables/{name}.csv", keep_default_na=False, na_values=[""]
        )
        pd.testing.assert_frame_equal(frame, written)
        assert {*frame.attrs["columns"]} == {*frame.columns}
    assert opened.performance.equals(opened.table("performance"))
    assert "none" in set(opened.performance.source) and "-" in set(opened.performance.source)
    described = opened.columns("robustness").set_index("column")
    assert described.unit["accuracy"] == "%" and described.unit["n_hit"] == "weights or units"


def test_every_column_of_the_reference_tables_is_documented():
    for folder in ("reference", "released"):
        for file in sorted((REPOSITORY / "docs" / folder / "tables").glob("*.csv*")):
            if file.name.split(".")[0] in TABLES:
                for column in pd.read_csv(file, nrows=1).columns:
                    assert all(isinstance(text, str) for text in about(column)), (file.name, column)
    for column in pd.read_csv(REPOSITORY / "docs" / "tables" / "plateau.csv", nrows=1).columns:
        assert about(column)[1]
    assert about("accuracy_output3")[0] == "%" and about("mse_sd")[1].startswith("standard deviation")
    with pytest.raises(KeyError):
        about("no_such_column_sd")
    assert all(meaning for _, meaning in COLUMNS.values())


def test_settings_seeds_and_provenance(opened):
    assert opened.settings["network"]["n_units"] == 12 and opened.settings["heads"]["n_steps"] == 8
    assert opened.seeds == [0, 1] and opened.tasks["mem_dm1"] == "T5" and "molap-pca" in opened.kinds
    table = opened.provenance
    assert {"job", "stage", "wall_s", "peak_memory_mb", "jax", "processor"} <= {*table.columns}
    assert (table.wall_s > 0).all() and set(table.stage) >= {"head", "evaluation", "performance"}


def test_a_folder_without_a_run_says_so_in_one_line(finished, tmp_path):
    with pytest.raises(ConfigError, match=r"holds no configuration.json; the runs in it: tiny$"):
        molap.open(finished.folder / "results")
    with pytest.raises(ConfigError, match=r"holds no configuration.json; a run's folder is results/NAME$"):
        molap.open(tmp_path)
    with pytest.raises(ConfigError, match="folder: None is not allowed; give a run's folder, results/NAME"):
        inspect.unwrap(molap.open)(None)


def test_another_version_and_a_half_done_run_say_so_in_one_line(finished, tmp_path):
    copy = tmp_path / "results" / "moved"
    shutil.copytree(finished.folder / "results" / "tiny", copy)
    (copy / "tables" / "areas.csv").unlink()
    record = json.loads((copy / "configuration.record.json").read_text())
    record["versions"]["molap"] = "0.0.1"
    del record["checksum"], record["checksums"]
    (copy / "configuration.record.json").write_text(json.dumps(record))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        run = molap.open(copy)
    first, second = (str(warning.message) for warning in said)
    assert f"{copy} was made by molap 0.0.1; this is molap " in first
    assert f"{copy} is not finished: 1 of 14 tables are missing (areas)" == second
    with pytest.raises(ConfigError, match=r"has no table 'areas' \(it is not finished\)"):
        _ = run.areas
    with pytest.raises(ConfigError, match=r"has no table 'modules' \(its configuration makes none\)"):
        _ = run.modules
    assert run.network("molap-cca", "mem_dm1").seed == 0  # although the folder has another name
    settings = json.loads((copy / "configuration.json").read_text()) | {"corpses": {}}
    (copy / "configuration.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError) as refused:
        molap.open(copy)
    assert "was made by molap 0.0.1; molap" in str(refused.value) and "corpses: unknown key" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_truncated_table_says_so_in_one_line(finished, tmp_path):
    copy = tmp_path / "results" / "tiny"
    shutil.copytree(finished.folder / "results" / "tiny", copy)
    file = copy / "tables" / "performance.csv"
    file.write_bytes(file.read_bytes()[:300])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = molap.open(copy)
    with pytest.raises(ConfigError, match="is damaged") as refused:
        _ = run.performance
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["separate", "molap-cca", "molap-pca", "molap-none", "dni-rule", "joint-rule"])
def test_scores_are_those_of_the_evaluation_to_the_last_bit(opened, finished, kind):
    for task in opened.tasks:
        rows = json.loads((finished.folder / f"results/tiny/evaluation/s0-1/{kind}/{task}.json").read_text())
        for row in rows:
            found = opened.network(kind, task, row.pop("network_seed")).score()
            assert row.pop("n_test_trials") == 30 and found == row


@pytest.mark.parametrize("kind", ["separate", "molap-cca"])
@pytest.mark.parametrize("task", ["delay_pro", "context_mem_dm1"])
def test_perturbed_networks_score_as_the_workflow_s_cells_to_the_last_bit(opened, finished, kind, task):
    cells = load_arrays(finished.folder / f"results/tiny/perturbations/s0-1/{kind}/{task}.cells.npz")
    columns = cells.pop("columns").tolist()
    cells.pop("identity")
    seen = set()
    for cell, rows in cells.items():
        seed, name, strength = cell.split()
        for draw, row in enumerate(rows):
            network = opened.network(kind, task, int(seed))
            if name != INTACT:
                network = network.perturb(name, float(strength), draw)
                assert network.perturbed.n_hit == row[0]
            assert list(network.score(opened.trials(task)).values()) == row[1:].tolist()
            seen.add(name)
    assert columns[0] == "n_hit" and seen == {INTACT, "module1", "module2", "inter_module", "whole", "silence", "noise"}
    rows = opened.cells.query("strategy == @kind.partition('-')[0] and task == @task and perturbation == 'noise'")
    assert len(rows) == 2 * 2


def test_a_perturbed_network_is_scored_on_the_first_trials(finished):
    folder = finished.folder / "results" / "tiny"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = molap.open(folder)
    network = run.network("separate", "delay_pro")
    fewer = Network(**{**vars(network), "scoring": network.scoring._replace(n_trials=7)})
    assert len(fewer.trials()) == 30 and len(fewer.perturb("whole", 10).trials()) == 7
    few = run.trials("delay_pro").first(7)
    assert fewer.perturb("whole", 10).score() == fewer.perturb("whole", 10).score(few)


def test_responses_and_trajectories_follow_from_the_weights(opened):
    network = opened.network("dni-rule", "mem_dm1", 1)  # its rule input is a bias
    p, trials = network.params, opened.trials("mem_dm1")
    assert p.b_rec is not None and trials.input_names == ("fixation", "stream1")
    h, rates, expected = np.zeros((len(trials), len(p.w_rec))), [], []
    for x in trials.inputs.astype(np.float64):
        h = np.tanh(h @ p.w_rec.T.astype(np.float64) + x @ p.w_in.T + p.b_rec)
        rates.append(h)
        expected.append(h @ p.w_out.T)
    np.testing.assert_allclose(network.trajectories(trials), rates, atol=2e-4)
    np.testing.assert_allclose(network.respond(trials), expected, atol=2e-4)
    assert network.respond(trials.inputs[:, :3]).shape == (110, 3, 2)
    noise = 0.1 * np.ones((110, 30, 14), np.float32)
    assert np.abs(network.respond(trials, noise) - network.respond(trials)).max() > 1e-3


def test_the_functions_beneath_are_pure_and_compile(opened):
    network, trials = opened.network("molap-cca", "mem_dm1"), opened.trials("mem_dm1")
    np.testing.assert_allclose(jax.jit(run)(network.params, trials.inputs)[0], network.respond(trials), atol=1e-5)
    loss = jax.grad(lambda params: jnp.mean((run(params, trials.inputs)[0] - trials.targets) ** 2))(network.params)
    assert loss.w_rec.shape == network.params.w_rec.shape and float(jnp.abs(loss.w_rec).max()) > 0
    before = [values.copy() for values in network.params if values is not None]
    network.perturb("noise", 0.1), network.score()
    for one, other in zip(before, (values for values in network.params if values is not None), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda run: run.network("molap-ica", "mem_dm1"),
            "kind: 'molap-ica' is not allowed; .* has separate, molap-cca",
        ),
        (lambda run: run.network("separate", "mem_dm9"), "task: 'mem_dm9' is not allowed; .* has delay_pro, mem_dm1"),
        (lambda run: run.network("separate", "mem_dm1", 2), "seed: 2 is not allowed; .* has 0, 1"),
        (lambda run: run.trials("mem_dm1", "training"), "stream: 'training' is not allowed"),
        (lambda run: run.primitives("none"), "source: 'none' is not allowed; .* has cca, pca"),
        (
            lambda run: _of(run).perturb("module3", 10),
            "name: 'module3' is not allowed; .* module1, module2, inter_module",
        ),
        (lambda run: _of(run).perturb("whole", 0), "strength: 0 is not allowed; above 0, at most 100"),
        (lambda run: _of(run).perturb("noise", 11), "strength: 11 is not allowed; above 0, at most 10"),
        (lambda run: _of(run).perturb("whole", 1, draw=-1), "draw: -1 is not allowed"),
        (
            lambda run: _of(run).perturb("whole", 1, draw=2**31),
            "draw: 2147483648 is not allowed; 0, 1, 2, …, 2147483647",
        ),
        (lambda run: unchecked(_of(run).perturb)("whole", "10"), "strength: '10' is not allowed; above 0"),
        (lambda run: _of(run).perturb("whole", True), "strength: True is not allowed"),
        (lambda run: run.network("separate", "mem_dm1", True), "seed: True is not allowed; give a whole number"),
        (lambda run: unchecked(run.network)("separate", "mem_dm1", 1.0), "seed: 1.0 is not allowed"),
        (
            lambda run: _of(run).respond(np.full((110, 2, 2), np.nan)),
            "inputs: not finite at step 0, trial 0, channel 0",
        ),
        (
            lambda run: unchecked(_of(run).respond)(np.full((110, 2, 2), 1j)),
            "inputs: complex128 is not allowed; real numbers",
        ),
        (lambda run: unchecked(run.network)(np.zeros(2), "mem_dm1"), r"kind: array\(\[0., 0.\]\) is not allowed"),
        (lambda run: unchecked(run.network)("separate", ["mem_dm1"]), r"task: \['mem_dm1'\] is not allowed"),
        (lambda run: unchecked(run.table)(np.eye(2)), r"no table array\(\[\[1., 0.\], \[0., 1.\]\]\)"),
        (lambda run: unchecked(_of(run).perturb)(np.zeros(2), 10), "name: array.* is not allowed; perturbations"),
        (lambda run: unchecked(_of(run).perturb)("whole", np.eye(2)), "strength: array.* is not allowed; above 0"),
        (lambda run: unchecked(_of(run).score)(np.zeros((110, 2, 2))), "trials: ndarray is not allowed; give Trials"),
        (
            lambda run: _of(run).respond(np.zeros((1, 1, 2)), np.full((1, 1, 12), np.nan)),
            "noise: not finite at step 0, trial 0, unit 0",
        ),
        (
            lambda run: _of(run).respond(np.zeros((1, 1, 2)), np.full((1, 1, 12), 1e300)),
            "noise: not finite at step 0, trial 0, unit 0",
        ),
        (lambda run: unchecked(_of(run).respond)([[1], [1, 2]]), "inputs: ValueError: setting an array element"),
        (lambda run: unchecked(run.trials)(pd.NA), "task: <NA> is not allowed"),
        (lambda run: unchecked(_of(run).perturb)("noise", 10**400), "strength: 1000.*… is not allowed; above 0"),
        (
            lambda run: _of(run).score(Trials("other", np.zeros((110, 3, 2)), np.zeros((110, 3, 5)))),
            "trials: 5 outputs are not allowed; this network was trained on mem_dm1, which has 2",
        ),
        (
            lambda run: _of(run).respond(np.zeros((3, 1, 2)), np.zeros((3, 1, 1))),
            r"noise: float64 of shape \(3, 1, 1\) is not allowed; real numbers, \(3, 1, 12\)",
        ),
        (lambda run: _of(run).perturb("whole", 1).perturb("whole", 1), "perturbed already"),
        (
            lambda run: _of(run).respond(np.zeros((110, 2, 3))),
            r"inputs: shape \(110, 2, 3\) is not allowed; \(time, trial, 2\)",
        ),
        (lambda run: _of(run).respond(np.zeros((110, 2))), "inputs: shape"),
        (lambda run: run.trials("mem_dm1").first(31), "n: 31 is not allowed; 1 to 30 trials"),
        (lambda run: _of(run).fixed_points(np.zeros(3), np.zeros((2, 12))), "inputs, starts: shapes"),
    ],
)
def test_what_does_not_exist_is_refused_in_one_line(opened, ask, message):
    with pytest.raises(ConfigError, match=message) as refused:
        ask(opened)
    assert "\n" not in str(refused.value)


def _of(run) -> Network:
    return run.network("molap-cca", "mem_dm1")


def test_trials_say_what_they_are(opened):
    trials = opened.trials("mem_dm1")
    assert len(trials) == 30 and trials.conditions["angles"].shape == (30, 2) and trials.dt == 10
    assert repr(trials.first(4)) == (
        "Trials(mem_dm1: 4 of 30 trials, 110 steps of 10 ms, fixation, stream1 → fixation, choice)"
    )
    assert isinstance(opened.trials("mem_dm1", "validation"), Trials)


def test_fixed_points_of_one_unit_are_those_of_its_equation():
    """h = tanh(2 h): 0, which is unstable, and ±0.9575040, which are stable."""
    params = Params(np.zeros((1, 1)), np.array([[2.0]]), np.zeros((1, 1)))
    found = find_fixed_points(params, np.zeros(1), np.array([[-0.9], [-0.5], [0.0], [0.8], [1.0]]))
    np.testing.assert_allclose(np.sort(found.points[:, 0]), [-0.957504, 0, 0.957504], atol=1e-6)
    assert dict(zip(found.points[:, 0].round(3), found.stable, strict=True)) == {-0.958: True, 0.0: False, 0.958: True}
    np.testing.assert_allclose(np.abs(found.eigenvalues[:, 0]), 2 * (1 - found.points[:, 0] ** 2), atol=1e-9)
    assert found.n_found.sum() == 5


def test_fixed_points_of_a_network_stay_where_they_are(opened):
    network, trials = opened.network("separate", "delay_pro"), opened.trials("delay_pro")
    found = network.fixed_points(trials.inputs[50, 0], network.trajectories(trials)[60:70, 0])
    assert len(found.points) >= 1
    held = np.broadcast_to(trials.inputs[50, 0], (20, 1, 3))
    for point in found.points[found.stable]:
        kept = network.params._replace(h0=point.astype(np.float32))
        np.testing.assert_allclose(run(kept, held)[1][-1, 0], point, atol=1e-4)
