"""Networks of the user's own: what is read and refused, and that heads and lesions use them."""

import inspect
import json
import os

import numpy as np
import pytest

import molap.networks.own
from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.exchange.reading import read_foreign
from molap.jobs.job import run_job
from molap.networks.own import LARGEST_RADIUS, radius_where_large, read_reservoir
from molap.planning.contents import kinds, n_units, perturbed_kinds, sweep
from molap.planning.plan import Plan
from molap.stages import head, own_network, perturbation, testset
from molap.storage.files import load_arrays

N = 9
W_REC = np.random.default_rng(0).normal(0, 1.2 / np.sqrt(N), (N, N))
MODULES = np.array([2, 1, 1, 2, 3, 1, 3, 2, 1])


@pytest.fixture
def file(tmp_path):
    np.savez(tmp_path / "own.npz", w_rec=W_REC, modules=MODULES)
    return str(tmp_path / "own.npz")


def configuration(file, **changes):
    small = {
        "heads": {"n_steps": 3, "batch_size": 5},
        "evaluation": {"n_trials": 20},
        "seeds": {"networks": 2, "per_job": 2},
    }
    small |= {"network": {"n_units": 8}, "perturbations": {"draws": 2, "noise": [], "whole": [], "silence": []}}
    return parse_config({"name": "t", "reservoirs": {"files": {"own": file}}} | small | changes)


def test_it_is_a_kind_like_the_others(file):
    config = configuration(file)
    assert "molap-own" in kinds(config) and "molap-own" in perturbed_kinds(config) and n_units(config, "molap-own") == N
    plan = Plan(config)
    assert plan.pretrained("t", "s0-1", "own") == "results/t/networks/s0-1/given/own.npz"
    chain = "t/without/mem_pro"
    assert plan.path("head", chain, block="s0-1", source="own", task="mem_pro").startswith("results/t/networks/")


@pytest.mark.parametrize(("modules", "expected"), [(MODULES, 3), (np.ones(N, int), 1), (None, 2)])
def test_lesions_are_those_of_its_own_modules(tmp_path, modules, expected):
    np.savez(tmp_path / "own.npz", w_rec=W_REC, **({} if modules is None else {"modules": modules}))
    config = configuration(str(tmp_path / "own.npz"))
    names = [f"module{m}" for m in range(1, expected + 1)] + ["inter_module"] * (expected > 1)
    assert list(sweep(config, "molap-own")) == names
    assert list(sweep(config, "molap-cca")) == ["module1", "module2", "inter_module"]
    assert set(sweep(config)) == {*names, "module1", "module2", "inter_module"}


def test_a_file_is_read_once_and_again_when_it_changes(file, monkeypatch):
    calls = []
    monkeypatch.setattr(molap.networks.own, "read_foreign", lambda name: calls.append(name) or read_foreign(name))
    read_reservoir(file), Plan(configuration(file))
    assert len(calls) <= 1
    np.savez(file, w_rec=2 * W_REC)
    np.testing.assert_array_equal(read_reservoir(file).w_rec, (2 * W_REC).astype(np.float32))


def test_a_job_refuses_a_file_other_than_planned(file, tmp_path, capsys):
    settings = Plan(configuration(file)).settings("own_network", "t", block="s0-1", source="own")
    np.savez(file, w_rec=W_REC.T)
    words = ["--settings", settings, "--input", f"file={file}", "--output", f"arrays={tmp_path}/x.npz"]
    with pytest.raises(SystemExit):
        run_job("own_network", own_network.Settings, own_network.work, words)
    assert "has changed since it was planned" in capsys.readouterr().err and not (tmp_path / "x.npz").exists()


def test_another_matrix_under_the_same_name_is_noticed_and_a_newer_copy_of_the_same_is_not(file):
    settings = [Plan(configuration(file)).settings("own_network", "t", block="s0-1", source="own")]
    os.utime(file, (2e9, 2e9))
    settings.append(Plan(configuration(file)).settings("own_network", "t", block="s0-1", source="own"))
    np.savez(file, w_rec=W_REC.T, modules=MODULES)
    os.utime(file, (1e9, 1e9))
    settings.append(Plan(configuration(file)).settings("own_network", "t", block="s0-1", source="own"))
    assert settings[0] == settings[1] != settings[2]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"w_rec": np.zeros((4, 5))}, "w_rec of {file} is 4 × 5; a square matrix is needed"),
        ({"w_rec": np.zeros(4)}, "w_rec of {file} is 4; a square matrix is needed"),
        ({"w_rec": np.array(1.0)}, "is a number; a square matrix is needed"),
        ({}, "{file} holds nothing; an array w_rec is needed"),
        ({"weights": np.eye(4)}, "{file} holds weights; an array w_rec is needed, or weight_hh_l0 of PyTorch"),
        ({"weights": np.eye(4)}, "; did you mean w_rec?"),
        ({"w_rec": np.eye(4), "module": np.ones(4, int)}, "holds module, which MoLaP does not read; it reads w_rec, "),
        ({"w_rec": np.eye(4), "Regions": np.ones(4, int)}, "; did you mean modules?"),
        ({"w_rec": np.eye(4), "dale_ratio": np.array(None)}, "holds dale_ratio, which MoLaP does not read"),
        ({"w_rec": np.array([[1, None], [2, 3]])}, "holds Python objects (w_rec), which are not opened"),
        ({"w_rec": 1e-50 * np.eye(4)}, "is 0 everywhere in single precision; units would not be connected"),
        ({"w_rec": np.eye(4) + 1j}, "holds complex128; real numbers are needed"),
        (
            {"w_rec": np.where(np.eye(4) > 0, [1, 2, np.nan, np.inf], 0)},
            "not finite in single precision: 2 of 16, the first nan at",
        ),
        ({"w_rec": np.diag([1e39, 0], 1)[:2, :2]}, "1 of 4, the first 1e+39 at row 0, column 1"),
        ({"w_rec": 30.25 * np.eye(4)}, f"has spectral radius 30.2; above {LARGEST_RADIUS} activity blows up"),
        ({"w_rec": np.eye(4), "modules": np.ones(3, int)}, "has shape (3,) and type int64; 4 integers are needed"),
        ({"w_rec": np.eye(4), "modules": np.ones(4)}, "has shape (4,) and type float64; 4 integers are needed"),
        ({"w_rec": np.eye(4), "modules": np.array([0, 1, 1, 0])}, "are [0, 1]; 1, 2, … without gaps are needed"),
        (
            {"w_rec": np.eye(4), "modules": np.array(["PFC", "whole"] * 2)},
            "has the name 'whole', which means something",
        ),
        ({"w_rec": np.eye(4), "modules": np.array(["module2", "module1"] * 2)}, "has the name 'module2', which means"),
        ({"w_rec": np.eye(4), "modules": np.array(["PFC", ""] * 2)}, "has the name '', which means something else"),
        ({"w_rec": np.eye(4), "modules": np.array(["PFC", "V1\n"] * 2)}, "has the name 'V1\\n'; a name is one line"),
        ({"w_rec": np.eye(4), "modules": np.array(["2", "1"] * 2)}, "has the name '2'; give numbers as numbers"),
        ({"w_rec": np.eye(4), "modules": np.array(["PFC", " V1"] * 2)}, "has the name ' V1'; a name is one line"),
        ({"w_rec": 1e-42 * np.eye(4)}, "is 0 everywhere in single precision"),
        ({"w_rec": np.eye(4), "W_rec": np.eye(4)}, "holds two recurrent matrices, W_rec and w_rec; keep W_rec for a"),
        ({"w_rec": np.eye(4), "J": np.eye(4)}, "holds two recurrent matrices, J and w_rec; keep J for a file of CURBD"),
        ({"w_rec": np.ones((1, 1))}, "is 1 × 1; a matrix of at least two units is needed"),
    ],
)
def test_what_is_no_network_is_refused_with_its_numbers(tmp_path, arrays, message):
    file = tmp_path / "own.npz"
    np.savez(file, **arrays)
    with pytest.raises(ConfigError) as refusal:
        configuration(str(file))
    (line,) = str(refusal.value).splitlines()
    assert line.startswith("reservoirs.files.own: ") and message.format(file=file) in line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own", None, "reservoirs.files.own: there is no file"),
        ("own", b"no arrays", "is not an .npz file (numpy.savez writes one)"),
        ("cca", b"", "files: 'cca' is not allowed as a name"),
        ("My-Net", b"", "files: 'My-Net' is not allowed as a name; use small letters"),
        ("y", b"", "files: 'y' is not allowed as a name; tables or YAML read it as a number"),
        ("keys", b"", "files: 'keys' is not allowed as a name; it has another meaning"),
        ("own", b"PK\x03\x04 cut", "own.npz is damaged: "),
    ],
)
def test_a_missing_or_damaged_file_and_a_taken_name_are_refused(tmp_path, name, content, message):
    file = tmp_path / "own.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as refusal:
        parse_config({"reservoirs": {"files": {name: str(file)}}})
    assert message in str(refusal.value) and len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize("n_units", [2, 50, 300])
@pytest.mark.parametrize("radius", [1e-3, 0.9, 9.99, 10.01, 300.0])
def test_eigenvalues_are_computed_where_the_radius_may_be_too_large_and_a_bound_stands_for_small_ones(n_units, radius):
    drawn = np.random.default_rng(n_units).normal(size=(n_units, n_units))
    w_rec = drawn * radius / np.abs(np.linalg.eigvals(drawn)).max()
    found = radius_where_large(w_rec)
    assert found >= radius * (1 - 1e-9)
    assert found == pytest.approx(radius) if radius > LARGEST_RADIUS else found <= LARGEST_RADIUS * (1 + 1e-9)


def test_a_lesion_that_would_hit_nothing_is_refused(tmp_path):
    file = tmp_path / "own.npz"
    np.savez(file, w_rec=np.eye(5) / 2, modules=np.array([1, 1, 1, 1, 2]))
    files = {"reservoirs": {"files": {"own": str(file)}}}
    with pytest.raises(ConfigError, match=r"^perturbations.module: 30 % of 1 weights of a module of molap-own hits "):
        parse_config(files | {"perturbations": {"module": [10, 30]}})
    parse_config(files | {"perturbations": {"kinds": ["separate"]}})
    np.savez(file, w_rec=np.eye(5) / 2)
    with pytest.raises(ConfigError, match=r"^perturbations.silence: 10 % of 5 units of molap-own hits nothing; give "):
        parse_config(files | {"perturbations": {"silence": [10]}})
    with pytest.raises(ConfigError, match=r"^perturbations.module: 20 % of 4 weights of a module of molap-own hits "):
        parse_config(files | {"perturbations": {"module": [20]}})
    parse_config(files | {"perturbations": {"module": [100]}})


def test_a_matrix_whose_powers_overflow_has_its_radius():
    assert radius_where_large(np.diag([1e200, 1.0])) == 1e200
    nilpotent = np.array([[0, 1e100], [0, 0]])
    assert radius_where_large(nilpotent) == 0


def test_the_radius_is_that_of_the_matrix(tmp_path):
    """Not its largest entry or norm: a shear of any size has radius 1."""
    np.savez(tmp_path / "shear.npz", w_rec=np.array([[1.0, 1000.0], [0.0, 1.0]]))
    assert read_reservoir(tmp_path / "shear.npz").modules is None


def test_heads_are_trained_on_it_and_lesions_hit_its_own_modules(file, tmp_path):
    config, at = configuration(file), {"block": "s0-1", "source": "own", "task": "mem_pro", "kind": "molap-own"}
    plan = Plan(config)

    def stage(program, name, output, end, **inputs):
        words = [
            "--settings",
            plan.settings(name, "t", **at),
            "--output",
            f"{output}={tmp_path}/{name}.{end}",
        ]
        for key, value in inputs.items():
            words += ["--input", f"{key}={value}"]
        run_job(name, program.Settings, program.work, words)

    stage(own_network, "own_network", "arrays", "npz", file=file)
    stage(head, "head", "arrays", "npz", network=tmp_path / "own_network.npz")
    trained = load_arrays(tmp_path / "head.npz")
    np.testing.assert_array_equal(trained["w_rec"], np.stack([W_REC.astype(np.float32)] * 2))
    assert trained["w_in"].shape == (2, N, 3) and not np.array_equal(*trained["w_in"])
    assert json.loads((tmp_path / "head.record.json").read_text())["settings"]["source"] == "own"
    stage(testset, "testset", "arrays", end="npz")
    stage(
        perturbation,
        "perturbation",
        "table",
        end="csv",
        network=tmp_path / "head.npz",
        testset=tmp_path / "testset.npz",
    )
    rows = [line.split(",") for line in (tmp_path / "perturbation.csv").read_text().splitlines()]
    place = {name: rows[0].index(name) for name in ("perturbation", "strength", "n_hit", "n_units")}
    hit = {(r[place["perturbation"]], float(r[place["strength"]])): int(r[place["n_hit"]]) for r in rows[1:]}
    sizes = {m: int(np.sum(m == MODULES)) for m in (1, 2, 3)}
    assert {r[place["n_units"]] for r in rows[1:]} == {str(N)}
    assert hit["module1", 30.0] == int(0.3 * sizes[1] ** 2) and hit["module2", 30.0] == int(0.3 * sizes[2] ** 2)
    assert hit["module3", 30.0] == int(0.3 * sizes[3] ** 2) and not {name for name, _ in hit} & {"module4"}
    assert hit["inter_module", 30.0] == int(0.3 * (N * N - sum(size**2 for size in sizes.values())))


def test_names_may_be_python_objects_in_memory(tmp_path):
    names = np.array(["V1", "primary motor"] * 2, object)
    molap.bring({"w_rec": np.eye(4), "modules": names}, tmp_path / "own.npz")
    assert read_reservoir(tmp_path / "own.npz").module_names == ("V1", "primary motor")


@pytest.mark.parametrize("source", [np.eye(4), None, 3])
def test_what_is_neither_a_file_nor_a_mapping_is_not_brought(tmp_path, source):
    with pytest.raises(ConfigError, match=r"source: \w+ is not allowed; give a file, or a mapping such as"):
        inspect.unwrap(molap.bring)(source, tmp_path / "own.npz")
