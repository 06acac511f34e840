"""Networks as other software keeps them, for the tests of reading and writing them."""

from pathlib import Path

import numpy as np
import scipy.io

from molap.networks.rnn import Params
from molap.opened.network import Network
from molap.opened.trials import Trials

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
