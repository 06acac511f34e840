"""Networks from and for PyTorch, PsychRNN, CURBD and MATLAB: what is taken over, what is refused, and round trips."""

import json
import pickle
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io

import molap
from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.exchange.convention import AGREES, Activity, check_convention
from molap.exchange.matlab import read_mat
from molap.exchange.pytorch import read_state_dict
from molap.jobs.job import run_job
from molap.networks.own import read_reservoir
from molap.networks.rnn import Params, run
from molap.opened.network import Network
from molap.opened.trials import Trials
from molap.planning.plan import Plan
from molap.stages import head, own_network
from molap.storage.files import load_arrays

N = 6
RNG = np.random.default_rng(0)
W_REC = RNG.normal(0, 1.2 / np.sqrt(N), (N, N))
B_REC = RNG.normal(size=N)
OF_PYTORCH = Path(__file__).parents[1] / "helpers" / "rnn_of_pytorch.pt"
"""torch.save of the state dict of a module with nn.RNN(2, 6) and nn.Linear(6, 3), by PyTorch 2.14."""


def drawn(n_channels=2, n_outputs=3, biases=True) -> Network:
    """A network with random weights, and a test set of 4 trials of 30 steps."""
    draw = np.random.default_rng(1).normal
    extra = {"b_rec": draw(size=N), "b_out": draw(size=n_outputs), "h0": np.tanh(draw(size=N))} if biases else {}
    weights = {"w_in": draw(size=(N, n_channels)), "w_rec": W_REC, "w_out": draw(size=(n_outputs, N)), **extra}
    params = Params(**{name: values.astype(np.float32) for name, values in weights.items()})
    trials = Trials("mem_dm1", draw(size=(30, 4, n_channels)).astype(np.float32), np.zeros((30, 4, n_outputs)))
    return Network(
        "molap-own", "mem_dm1", 0, params, (1, 1, 2, 2, 3, 3), module_names=("A", "B", "C"), testset=lambda: trials
    )


def simulated(w_rec, leak, n_steps=60, noise=0.3):
    """The rates of CURBD's equation in NumPy, and the noise that drives it."""
    rng = np.random.default_rng(3)
    x, rates, drive = rng.normal(size=len(w_rec)), [], noise * rng.normal(size=(n_steps, len(w_rec)))
    for given in drive:
        rates.append(np.tanh(x))
        x = x + leak * (-x + w_rec @ rates[-1] + given)
    return np.array(rates), drive


def model(w_rec=W_REC, **changes):
    """What CURBD returns; its first two columns of rates are one state."""
    rates, drive = simulated(w_rec, 0.2)
    rates, drive = np.vstack([rates[:1], rates]), np.vstack([drive[:1], drive])
    found = {"J": w_rec, "J0": 0 * w_rec, "RNN": rates.T, "inputWN": drive.T, "tRNN": np.arange(61.0), "dtRNN": 0.01}
    regions = {"M1": np.array([0, 3]), "PFC": np.array([1, 2, 4, 5])}
    return found | {"regions": regions, "params": {"tauRNN": 0.05, "nonLinearity": np.tanh}} | changes


def save(file, arrays):
    if file.suffix == ".mat":
        scipy.io.savemat(file, arrays)
    else:
        np.savez(file, **arrays)
    return file


PSYCHRNN = {
    "W_rec": W_REC,
    "b_rec": B_REC,
    "W_in": np.ones((N, 2)),
    "W_out": np.ones((1, N)),
    "b_out": np.ones(1),
    "init_state": np.ones((1, N)),
    "dale_ratio": np.array(None, dtype=object),  # as its save() writes it
    "rec_connectivity": np.ones((N, N)),
}


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
    with pytest.raises(ConfigError, match=r"regions of .* do not hold each of the 6 units once"):
        read_reservoir(save(tmp_path / "other.mat", {"model": model(params={"tauRNN": 0.05}, regions=cell)}))


@pytest.mark.parametrize("leak", [0.01, 0.1, 0.5, 1.0])
def test_a_step_tells_rows_from_columns(leak):
    rates, drive = simulated(W_REC, leak)
    assert check_convention(W_REC, Activity(rates, drive), "J") < 1e-6
    with pytest.raises(ConfigError, match=r"J: its columns receive .*; rows must: save the transpose"):
        check_convention(W_REC.T, Activity(rates, drive), "J")
    with pytest.raises(ConfigError, match=r"J did not make the rates beside it .*; is its nonlinearity not tanh"):
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
        ({"w_rec": W_REC, "w_mystery": W_REC}, "holds w_mystery, which nothing here reads; known are w_rec, b_rec"),
        (PSYCHRNN | {"init_hidden": np.ones(N)}, "holds init_hidden, which nothing here reads"),
        ({"J": W_REC, "K": W_REC}, "holds K, which nothing here reads; known are J, J0"),
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
        ("own.mat", b"no variables", "is no .mat file"),
        ("own.pt", b"no tensors", "is no state dict that torch.save wrote"),
        ("own.csv", b"1,2", "is of no known kind; known are .npz, .mat, .pt, .pth"),
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


@pytest.mark.parametrize("biases", [False, True])
def test_matlab_s_variables_give_the_same_outputs_and_come_back(tmp_path, biases):
    network = drawn(biases=biases)
    network.export(tmp_path / "net.mat")
    v = scipy.io.loadmat(tmp_path / "net.mat", simplify_cells=True)
    h, outputs = np.tile(v["h0"], (4, 1)), []
    for x in network.trials().inputs:
        h = np.tanh(h @ v["w_rec"].T + x @ v["w_in"].T + v["b_rec"])
        outputs.append(h @ v["w_out"].T + v["b_out"])
    np.testing.assert_allclose(network.respond(network.trials()), outputs, atol=2e-6)
    assert "rows receive" in v["convention"]
    back = read_reservoir(tmp_path / "net.mat")
    np.testing.assert_array_equal(back.w_rec, network.params.w_rec)
    assert (back.b_rec is not None) == biases and back.modules.tolist() == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("names", ["molap", "psychrnn"])
def test_arrays_come_back_as_a_reservoir(tmp_path, names):
    network = drawn()
    network.export(tmp_path / "net.npz", names)
    back = read_reservoir(tmp_path / "net.npz")
    np.testing.assert_array_equal(back.w_rec, network.params.w_rec)
    np.testing.assert_array_equal(back.b_rec, network.params.b_rec)


@pytest.mark.parametrize(
    ("file", "names", "message"),
    [
        ("net.h5", "molap", "file: 'net.h5' is not allowed; its ending says the form: .pt, .mat, .npz"),
        ("net.mat", "psychrnn", "names: 'psychrnn' is not allowed for net.mat"),
        ("net.npz", "keras", "names: 'keras' is not allowed for net.npz; .npz has molap or psychrnn"),
    ],
)
def test_forms_that_do_not_exist_are_refused(tmp_path, file, names, message):
    with pytest.raises(ConfigError, match=message):
        drawn().export(tmp_path / file, names)


def test_an_initial_rate_that_psychrnn_cannot_start_from_is_refused(tmp_path):
    network = drawn()
    wide = Network(**vars(network) | {"params": network.params._replace(h0=np.full(N, 1.5, np.float32))})
    with pytest.raises(ConfigError, match=r"h0: 1.5 is not allowed; PsychRNN starts from arguments of tanh"):
        wide.export(tmp_path / "net.npz", "psychrnn")


@pytest.mark.exhaustive
def test_pytorch_s_own_forward_pass_gives_the_same_outputs_and_its_file_comes_back(tmp_path):
    torch = pytest.importorskip("torch", reason="needs PyTorch: pip install torch")
    network = drawn()

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.readout = torch.nn.RNN(2, N), torch.nn.Linear(N, 3)
            self.register_buffer("h0", torch.zeros(N))

        def forward(self, inputs):
            h, _ = self.rnn(inputs, self.h0.expand(1, inputs.shape[1], -1).contiguous())
            return self.readout(h)

    network.export(tmp_path / "net.pt")
    net = Net()
    net.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    inputs = network.trials().inputs
    outputs = net(torch.from_numpy(inputs)).detach().numpy()
    np.testing.assert_allclose(network.respond(inputs), outputs, atol=2e-6)
    print("PyTorch: largest difference", np.abs(network.respond(inputs) - outputs).max())
    torch.save({"epoch": 3, "state_dict": net.state_dict()}, tmp_path / "checkpoint.pt")
    back = read_reservoir(tmp_path / "checkpoint.pt")
    np.testing.assert_array_equal(back.w_rec, network.params.w_rec)
    np.testing.assert_array_equal(back.b_rec, network.params.b_rec)
    with torch.no_grad():  # a reservoir from PyTorch, one step
        h = run(Params(np.zeros((N, 2), np.float32), back.w_rec, np.zeros((1, N), np.float32), back.b_rec), 0 * inputs)[
            1
        ]
        np.testing.assert_allclose(h, net.rnn(torch.zeros(30, 4, 2))[0].numpy(), atol=2e-6)
    torch.save(net.double().state_dict() | {"half": net.h0.half()}, tmp_path / "double.pt")
    with pytest.raises(ConfigError, match=r"holds half"):
        read_reservoir(tmp_path / "double.pt")
    molap.bring(net.state_dict(), tmp_path / "memory.npz")
    np.testing.assert_array_equal(read_reservoir(tmp_path / "memory.npz").w_rec, network.params.w_rec)
    torch.save(net.rnn, tmp_path / "whole.pt")
    with pytest.raises(ConfigError, match=r"which is not loaded; save model.state_dict"):
        read_reservoir(tmp_path / "whole.pt")


@pytest.mark.exhaustive
def test_psychrnn_s_own_simulator_gives_the_same_outputs(tmp_path):
    simulation = pytest.importorskip("psychrnn.backend.simulation", reason="needs PsychRNN: pip install psychrnn")
    network = drawn()
    network.export(tmp_path / "net.npz", "psychrnn")
    simulator = simulation.BasicSimulator(
        params={"alpha": 1.0, "rec_noise": 0.0}, weights_path=tmp_path / "net.npz", transfer_function=np.tanh
    )
    inputs = network.trials().inputs
    outputs, states = simulator.run_trials(inputs.swapaxes(0, 1))
    np.testing.assert_allclose(network.respond(inputs), outputs.swapaxes(0, 1), atol=2e-6)
    np.testing.assert_allclose(network.trajectories(inputs), np.tanh(states.swapaxes(0, 1)), atol=2e-6)
    print("PsychRNN: largest difference", np.abs(network.respond(inputs) - outputs.swapaxes(0, 1)).max())


OCTAVE = """
v = load('net.mat'); [n_steps, n_trials, ~] = size(v0 = load('inputs.mat').inputs); y = zeros(n_steps, n_trials, 3);
for trial = 1:n_trials
  h = v.h0;
  for t = 1:n_steps
    h = tanh(v.w_rec * h + v.w_in * squeeze(v0(t, trial, :)) + v.b_rec);
    y(t, trial, :) = v.w_out * h + v.b_out;
  end
end
save('-v7', 'outputs.mat', 'y');
"""


@pytest.mark.exhaustive
@pytest.mark.skipif(not shutil.which("octave-cli"), reason="needs GNU Octave: apt-get install octave")
def test_octave_s_own_forward_pass_gives_the_same_outputs(tmp_path):
    network = drawn()
    network.export(tmp_path / "net.mat")
    inputs = network.trials().inputs
    scipy.io.savemat(tmp_path / "inputs.mat", {"inputs": inputs})
    subprocess.run(["octave-cli", "--no-init-file", "--eval", OCTAVE], cwd=tmp_path, check=True, timeout=120)
    outputs = read_mat(tmp_path / "outputs.mat")["y"]
    np.testing.assert_allclose(network.respond(inputs), outputs, atol=2e-6)
    print("Octave: largest difference", np.abs(network.respond(inputs) - outputs).max())
