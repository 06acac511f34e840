"""Write a network for other software, under its names, such that its own forward pass gives the same outputs."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from molap.config.base import ConfigError

CONVENTION = "h(t) = tanh(w_rec*h(t-1) + w_in*x(t) + b_rec); y(t) = w_out*h(t) + b_out; h starts at h0; rows receive"
NAMES = ("molap", "psychrnn")

Arrays = Mapping[str, np.ndarray]


def pytorch_names(weights: Arrays) -> dict[str, np.ndarray]:
    """Return the state dict of a module with `rnn = nn.RNN(…)`, `readout = nn.Linear(…)` and a buffer `h0`."""
    w = _complete(weights)
    zeros = np.zeros_like(w["b_rec"])
    return {
        "h0": w["h0"],
        "rnn.weight_ih_l0": w["w_in"],
        "rnn.weight_hh_l0": w["w_rec"],
        "rnn.bias_ih_l0": w["b_rec"],
        "rnn.bias_hh_l0": zeros,
        "readout.weight": w["w_out"],
        "readout.bias": w["b_out"],
    }


def psychrnn_names(weights: Arrays) -> dict[str, np.ndarray]:
    """Return what PsychRNN's `save()` writes; simulate it with `alpha` = 1 and `tanh` as the transfer function.

    Raises:
        ConfigError: if a rate of the initial state is not within (−1, 1): its state is the argument of tanh.
    """
    w = _complete(weights)
    if np.abs(w["h0"]).max() >= 1:
        raise ConfigError(
            f"h0: {np.abs(w['h0']).max():.3g} is not allowed; PsychRNN starts from arguments of tanh, and none gives a "
            "rate of 1 or more"
        )
    found = {"W_in": w["w_in"], "W_rec": w["w_rec"], "W_out": w["w_out"], "b_rec": w["b_rec"], "b_out": w["b_out"]}
    return found | {"init_state": np.arctanh(w["h0"])[None]}


def matlab_names(weights: Arrays, further: Arrays) -> dict[str, np.ndarray | str]:
    """Return all weights, zeros for absent biases, and what lets a reader check them: rates of one trial and inputs."""
    return _complete(weights) | dict(further) | {"convention": CONVENTION}


def _complete(weights: Arrays) -> dict[str, np.ndarray]:
    n_units, n_outputs = len(weights["w_rec"]), len(weights["w_out"])
    absent = {"b_rec": n_units, "b_out": n_outputs, "h0": n_units}
    return {name: np.zeros(size, np.float32) for name, size in absent.items()} | dict(weights)


def write_foreign(file: str | Path, weights: Arrays, further: Arrays, names: str = "molap") -> None:
    """Write weights (`w_in`, `w_rec`, `w_out` and biases) in the form that the file's ending says.

    Args:
        file: `.pt`: a state dict of PyTorch; `.mat`: MATLAB's variables; `.npz`: arrays under `names`.
        weights: of one network.
        further: of `.mat` and MoLaP's `.npz`: `modules`, and `rates` with `inputs` of one trial.
        names: of `.npz`: `molap` or `psychrnn`.

    Raises:
        ConfigError: in one line, if the ending or the names are none of these, or the form cannot hold the network.
    """
    suffix = Path(file).suffix
    if names not in NAMES or (names != "molap" and suffix != ".npz"):
        raise ConfigError(f"names: {names!r} is not allowed for {Path(file).name}; .npz has molap or psychrnn")
    if suffix == ".pt":
        from molap.exchange.pytorch import write_state_dict

        write_state_dict(file, pytorch_names(weights))
    elif suffix == ".mat":
        from molap.exchange.matlab import write_mat

        write_mat(file, matlab_names(weights, further))
    elif suffix == ".npz":
        arrays = psychrnn_names(weights) if names == "psychrnn" else dict(weights) | dict(further)
        np.savez(file, **arrays)  # type: ignore[arg-type]  # none is `allow_pickle`
    else:
        raise ConfigError(f"file: {Path(file).name!r} is not allowed; its ending says the form: .pt, .mat, .npz")
