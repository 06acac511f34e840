"""Recurrent networks from other software."""

import json
import pickle
import zipfile

import numpy as np
import pytest
import scipy.io
from foreign_networks import B_REC, OF_PYTORCH, PSYCHRNN, W_REC, N, drawn, model, save, simulated

import molap
from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.exchange.convention import AGREES, Activity, check_convention
from molap.exchange.pytorch import read_state_dict
from molap.jobs.job import run_job
from molap.networks.own import read_reservoir
from molap.planning.plan import Plan
from molap.stages import head, own_network
from molap.storage.files import load_arrays


@pytest.mark.parametrize("name", ["own.npz", "own.mat"])
def test_recurrent_weights_biases_and_modules_by_name_are_taken_over(tmp_path, name):
    labels = np.array(["V1", "V1", "PMC", "V1", "PMC", "M1"])
    found = read_reservoir(save(tmp_path / name, {"w_rec": W_REC, "b_rec": B_REC, "modules": labels}))
    np.testing.assert_array_equal(found.w_rec, W_REC.astype(np.float32))
    np.testing.assert_array_equal(found.b_rec, B_REC.astype(np.float32))
    assert found.modules.tolist() == [1, 1, 2, 1, 2, 3] and found.module_names == ("V1", "PMC", "M1")


def test_numbers_of_modules_from_matlab_are_whole_numbers(tmp_path):
    file = save(tmp_path / "own.mat", {"w_rec": W_REC, "modules": np.array([[1.0, 1, 2, 2, 3, 3]])})
    assert read_reservoir(file).modules.tolist() == [1, 1, 2, 2, 3, 3]
    save(file, {"w_rec": W_REC, "modules": np.array([[1.5, 1, 2, 2, 3, 3]])})
    with pytest.raises(ConfigError, match=r"6 integers are needed"):
        read_reservoir(file)


def test_cells_structs_and_sparse_matrices_of_matlab(tmp_path):
    cell = np.array(["a ", "a ", "b", "b", "b", "a "], dtype=object)
    file = save(tmp_path / "own.mat", {"net": {"w_rec": scipy.sparse.csc_matrix(W_REC), "modules": cell}})
    found = read_reservoir(file)
    np.testing.assert_array_equal(found.w_rec, W_REC.astype(np.float32))
    assert found.module_names == ("a", "b")


def test_matlab_of_version_7_3(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs h5py: pip install 'molap[matlab]'")
    file = tmp_path / "own.mat"
    with h5py.File(file, "w", userblock_size=512) as opened:
        opened["w_rec"] = W_REC.T  # MATLAB stores columns first
        opened["b_rec"] = B_REC[None]
        labels = opened.create_dataset("modules", (1, N), dtype=h5py.ref_dtype)
        labels.attrs["MATLAB_class"] = np.bytes_("cell")
        for i, text in enumerate(["V1", "V1", "V1", "PMC", "PMC", "PMC"]):
            one = opened.create_dataset(f"#refs#/{i}", data=np.array([[ord(c)] for c in text], np.uint16))
            one.attrs["MATLAB_class"] = np.bytes_("char")
            labels[0, i] = one.ref
    with open(file, "r+b") as opened:
        opened.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    found = read_reservoir(file)
    np.testing.assert_array_equal(found.w_rec, W_REC.astype(np.float32))
    np.testing.assert_array_equal(found.b_rec, B_REC.astype(np.float32))
    assert found.modules.tolist() == [1, 1, 1, 2, 2, 2] and found.module_names == ("V1", "PMC")


def test_psychrnn_s_file_is_read_and_its_objects_stay_closed(tmp_path):
    found = read_reservoir(save(tmp_path / "psychrnn.npz", PSYCHRNN))
    np.testing.assert_array_equal(found.w_rec, W_REC.astype(np.float32))
    np.testing.assert_array_equal(found.b_rec, B_REC.astype(np.float32))


def test_a_state_dict_of_pytorch_is_read_without_pytorch():
    found = read_state_dict(OF_PYTORCH)
    assert {name: values.shape for name, values in found.items()} == {
        "rnn.weight_ih_l0": (6, 2),
        "rnn.weight_hh_l0": (6, 6),
        "rnn.bias_ih_l0": (6,),
        "rnn.bias_hh_l0": (6,),
        "readout.weight": (3, 6),
        "readout.bias": (3,),
    }
    network = read_reservoir(OF_PYTORCH)
    np.testing.assert_array_equal(network.w_rec, found["rnn.weight_hh_l0"])
    np.testing.assert_allclose(network.b_rec, found["rnn.bias_ih_l0"] + found["rnn.bias_hh_l0"])
    assert np.abs(found["rnn.weight_hh_l0"]).max() <= 1 / np.sqrt(6)  # uniform, as PyTorch draws them


class Harmful:
    def __reduce__(self):
        return (print, ("executed",))


def test_what_a_pickle_names_is_never_executed(tmp_path, capsys):
    file = tmp_path / "harmful.pt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weight_hh_l0": Harmful()}))
    with pytest.raises(
        ConfigError, match=r"harmful.pt names builtins.print, which is not loaded; save model.state_dict"
    ):
        read_reservoir(file)
    objects = tmp_path / "objects.npz"
    np.savez(objects, w_rec=W_REC, modules=np.array([Harmful()] * N, dtype=object))
    with pytest.raises(ConfigError, match=r"holds Python objects \(modules\), which are not opened"):
        read_reservoir(objects)
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["fit.npz", "fit.mat"])
def test_a_fit_of_curbd_has_the_regions_as_modules(tmp_path, name):
    if name == "fit.mat":
        params = {"tauRNN": 0.05}
        file = save(tmp_path / name, {"model": model(params=params)})
    else:
        file = tmp_path / name
        molap.bring(model(), file)
    found = read_reservoir(file)
    np.testing.assert_array_equal(found.w_rec, W_REC.astype(np.float32))
    assert [found.module_names[m - 1] for m in found.modules] == ["M1", "PFC", "PFC", "M1", "PFC", "PFC"]


def test_indices_of_regions_from_matlab_start_at_one(tmp_path):
    cell = np.empty((2, 2), dtype=object)
    cell[0, 0], cell[1, 0], cell[0, 1], cell[1, 1] = "M1", "PFC", np.array([[1, 4]]), np.array([[2, 3, 5, 6]])
    found = read_reservoir(save(tmp_path / "fit.mat", {"model": model(params={"tauRNN": 0.05}, regions=cell)}))
    assert [found.module_names[m - 1] for m in found.modules] == ["M1", "PFC", "PFC", "M1", "PFC", "PFC"]
    cell[0, 1] = np.array([[1, 3]])
    with pytest.raises(ConfigError, match=r"regions of .* do not list each of the 6 units exactly once"):
        read_reservoir(save(tmp_path / "other.mat", {"model": model(params={"tauRNN": 0.05}, regions=cell)}))


@pytest.mark.parametrize("leak", [0.01, 0.1, 0.5, 1.0])
def test_a_step_tells_rows_from_columns(leak):
    rates, drive = simulated(W_REC, leak)
    assert check_convention(W_REC, Activity(rates, drive), "J") < 1e-6
    with pytest.raises(ConfigError, match=r"J: its columns receive .*; rows must receive, so save the transpose"):
        check_convention(W_REC.T, Activity(rates, drive), "J")
    with pytest.raises(
        ConfigError, match=r"J does not reproduce the rates in the same file .*; is its nonlinearity tanh"
    ):
        check_convention(W_REC[::-1], Activity(rates, drive), "J")
    resting = Activity(np.zeros((20, N)), 0.0)
    assert check_convention(W_REC, resting, "J") == check_convention(W_REC.T, resting, "J") == 0 < AGREES < 0.1


@pytest.mark.parametrize("single", [False, True])
def test_rates_beside_our_own_names_are_checked_too(tmp_path, single):
    network = drawn()
    file = tmp_path / "own.mat"
    network.export(file)
    found = scipy.io.loadmat(file, simplify_cells=True)
    arrays = {name: found[name] for name in ("w_rec", "b_rec", "w_in", "rates", "inputs", "modules")}
    assert read_reservoir(save(tmp_path / "a.npz", arrays)).module_names == ("A", "B", "C")
    if single:
        arrays["rates"] = arrays["rates"].astype(np.float32)
    with pytest.raises(ConfigError, match=r"w_rec of .*: its columns receive"):
        read_reservoir(save(tmp_path / "b.npz", arrays | {"w_rec": arrays["w_rec"].T}))
    with pytest.raises(ConfigError, match=r"inputs, w_in and b_rec of .* do not fit: "):
        read_reservoir(save(tmp_path / "d.npz", arrays | {"inputs": arrays["inputs"][:, :1]}))
    with pytest.raises(ConfigError, match=r"rates of .* have shape \(30, 5\); \(time, 6\) is needed"):
        read_reservoir(save(tmp_path / "c.npz", arrays | {"rates": arrays["rates"][:, :5]}))


PYTORCH = {"rnn.weight_hh_l0": W_REC, "rnn.weight_ih_l0": np.ones((N, 2))}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"w_rec": W_REC, "w_mystery": W_REC}, "holds w_mystery, which MoLaP does not read; it reads w_rec, b_rec"),
        (PSYCHRNN | {"init_hidden": np.ones(N)}, "holds init_hidden, which MoLaP does not read"),
        ({"J": W_REC, "K": W_REC}, "holds K, which MoLaP does not read; it reads J, J0"),
        ({"w_rec": W_REC, "b_rec": np.ones(N + 1)}, r"recurrent biases of .* have shape \(7,\); \(6,\) is needed"),
        (
            {"w_rec": W_REC, "b_rec": np.full(N, np.nan)},
            "recurrent biases of .* not finite .* 6 of 6, the first nan at row 0",
        ),
        ({"w_rec": W_REC, "modules": np.array(["a"] * (N + 1))}, "6 integers are needed, .*, or as many names"),
        (PYTORCH | {"rnn.weight_hh_l1": W_REC}, "holds rnn.weight_hh_l1; one layer in one direction is needed|several"),
        (PYTORCH | {"rnn.weight_hh_l0_reverse": W_REC}, "holds rnn.weight_hh_l0_reverse; one layer in one direction"),
        (
            PYTORCH | {"other.weight_hh_l0": W_REC},
            "holds several recurrent networks: rnn.weight_hh_l0, other.weight_hh_l0",
        ),
        (
            PYTORCH | {"conv.weight": np.ones((3, 4))},
            "holds conv.weight, which is neither of nn.RNN nor of a linear readout",
        ),
        (PYTORCH | {"embedding": np.ones(3)}, "holds embedding, which is neither of nn.RNN"),
        ({"gru.weight_hh_l0": np.ones((3 * N, N))}, "gru.weight_hh_l0 of .* is 18 × 6; a square matrix is needed"),
    ],
)
def test_what_would_be_half_read_is_refused_in_one_line(tmp_path, arrays, message):
    file = save(tmp_path / "own.npz", arrays)
    with pytest.raises(ConfigError, match=message) as refused:
        parse_config({"reservoirs": {"files": {"own": str(file)}}})
    assert "\n" not in str(refused.value) and str(refused.value).startswith("reservoirs.files.own: ")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("own.mat", b"no variables", "is not a .mat file"),
        ("own.pt", b"no tensors", "is no state dict that torch.save wrote"),
        ("own.csv", b"1,2", "is of an unknown kind; MoLaP reads .npz, .mat, .pt, .pth"),
        ("own.npz", b"PK\x03\x04damaged", "is damaged"),
    ],
)
def test_damaged_and_unknown_files_are_refused_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message) as refused:
        read_reservoir(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_bring_writes_what_the_workflow_reads(tmp_path):
    molap.bring(OF_PYTORCH, tmp_path / "a.npz")
    molap.bring(read_state_dict(OF_PYTORCH), tmp_path / "b.npz")
    for one, other in zip(read_reservoir(tmp_path / "a.npz"), read_reservoir(OF_PYTORCH), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with pytest.raises(ConfigError, match=r"file: .* is not allowed; a name that ends with .npz"):
        molap.bring(OF_PYTORCH, tmp_path / "a.mat")


def test_biases_drive_the_heads_that_are_trained_on_it(tmp_path):
    save(tmp_path / "own.npz", {"w_rec": W_REC, "b_rec": B_REC, "modules": np.array(["A", "B", "B", "B", "A", "A"])})
    small = {"heads": {"n_steps": 3, "batch_size": 5}, "seeds": {"networks": 2, "per_job": 2}}
    files = {"reservoirs": {"files": {"own": str(tmp_path / "own.npz")}}}
    plan, at = Plan(parse_config(files | small)), {"block": "s0-1", "source": "own", "task": "mem_pro"}

    def stage(program, name, **inputs):
        words = ["--settings", plan.settings(name, "paper", **at), "--output", f"arrays={tmp_path}/{name}.out.npz"]
        words += [word for key, file in inputs.items() for word in ("--input", f"{key}={file}")]
        run_job(name, program.Settings, program.work, words)
        return load_arrays(tmp_path / f"{name}.out.npz")

    stage(own_network, "own_network", file=tmp_path / "own.npz")
    trained = stage(head, "head", network=tmp_path / "own_network.out.npz")
    np.testing.assert_array_equal(trained["b_rec"], np.stack([B_REC.astype(np.float32)] * 2))
    assert trained["modules"].tolist() == [1, 2, 2, 2, 1, 1] and trained["module_names"].tolist() == ["A", "B"]
    curve = json.loads((tmp_path / "head.out.record.json").read_text())["curves"]["mse"]
    assert np.isfinite(curve).all()


def test_lesions_take_the_names_of_modules():
    network = drawn()
    by_name, by_number = network.perturb("B", 50, 1), network.perturb("module2", 50, 1)
    np.testing.assert_array_equal(by_name.params.w_rec, by_number.params.w_rec)
    assert by_name.perturbed.name == "module2" and by_name.perturbed.n_hit == 2
    with pytest.raises(ConfigError, match=r"name: 'D' is not allowed; .* module3, A, B, C, inter_module"):
        network.perturb("D", 50)
