"""Networks written for other software, whose own forward pass gives the same outputs."""

import shutil
import subprocess

import numpy as np
import pytest
import scipy.io
from foreign_networks import N, drawn

import molap
from molap.config.base import ConfigError
from molap.exchange.matlab import read_mat
from molap.networks.own import read_reservoir
from molap.networks.rnn import Params, run
from molap.opened.network import Network


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
