"""What a file of other software says about a recurrent network, under MoLaP's names.

W_rec is W_rec[receiving unit, sending unit] here and in PyTorch (`weight_hh`), PsychRNN (`W_rec`) and CURBD (`J`). Only
recurrent weights and biases are taken over. Input and readout weights and the initial state may be in a file: every
head has its own. Anything else is refused, so that no file is half read.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from molap.config.base import ConfigError, did_you_mean
from molap.config.npz_file import Pickled
from molap.exchange.convention import Activity
from molap.exchange.curbd import CURBD, from_curbd

LEFT = ("w_in", "w_out", "b_out", "h0")
OWN = ("w_rec", "b_rec", "modules", *LEFT, "rates", "inputs", "convention")
MEANT = dict.fromkeys(("module", "area", "areas", "region", "regions", "population", "populations"), "modules")
MEANT |= dict.fromkeys(("w", "wrec", "weights", "recurrent", "w_recurrent"), "w_rec") | {"bias": "b_rec", "b": "b_rec"}
"""Other names of arrays, in small letters → the name that is meant."""
PSYCHRNN = (
    *("W_rec", "b_rec", "W_in", "W_out", "b_out", "init_state"),
    *(
        "Dale_rec",
        "Dale_out",
        "dale_ratio",
        "transfer_function",
        "input_connectivity",
        "rec_connectivity",
        "output_connectivity",
    ),
)
"""What `save()` writes; its W_rec already has the masks and Dale's law in it."""
UNOPENED = ("dale_ratio", "transfer_function")
"""Python objects in PsychRNN's files that are not needed."""
PYTORCH = ("weight_hh", "bias_hh", "weight_ih", "bias_ih")


class Foreign(NamedTuple):
    """A recurrent network as found, unchecked."""

    w_rec: Any
    b_rec: Any = None
    modules: Any = None
    """Numbers, or names, of every unit's module."""
    activity: Activity | None = None
    """Rates by which the convention of `w_rec` can be checked."""
    name: str = "w_rec"
    """The name of the matrix in its file."""


def recognise(found: Mapping[str, Any], file: str) -> Foreign:
    """Return the network that these arrays describe, by the names of the software that wrote them.

    Raises:
        ConfigError: in one line, if they describe none, or hold more than that software writes.
    """
    names = [name for name in found if name.rpartition(".")[2].removesuffix("_l0") == "weight_hh"]
    if names:
        return _of_pytorch(found, names, file)
    own = next((name for name in ("J", "W_rec") if name in found and "w_rec" in found), None)
    if own:
        raise ConfigError(
            f"{file} holds two recurrent matrices, {own} and w_rec; keep {own} for a file of "
            f"{'CURBD' if own == 'J' else 'PsychRNN'}, or w_rec with {', '.join(OWN[1:3])} for one of your own"
        )
    if "J" in found:
        _refuse_others(found, CURBD, file)
        return Foreign(found["J"], None, *from_curbd(found, file), "J")
    if "W_rec" in found:
        _refuse_others(found, PSYCHRNN, file)
        return Foreign(found["W_rec"], found.get("b_rec"), name="W_rec")
    if "w_rec" not in found:
        there = ", ".join(found) or "nothing"
        raise ConfigError(
            f"{file} holds {there}; an array w_rec is needed, or weight_hh_l0 of PyTorch, W_rec of PsychRNN, J of CURBD"
            f"{did_you_mean(next(iter(found), ''), OWN, MEANT)}"
        )
    _refuse_others(found, OWN, file)
    activity = None
    if "rates" in found and ("inputs" not in found or "w_in" in found):
        activity = Activity(np.asarray(found["rates"], np.float64), _drive(found, file), arrives_with=1)
    return Foreign(found["w_rec"], found.get("b_rec"), found.get("modules"), activity)


def _drive(found: Mapping[str, Any], file: str) -> np.ndarray:
    """Return W_in x(t) + b_rec, or 0."""
    given = {name: np.asarray(found[name], np.float64) for name in ("inputs", "w_in", "b_rec") if name in found}
    try:
        drive = given["inputs"] @ given["w_in"].T if "inputs" in given else np.zeros(1)
        return drive + given.get("b_rec", 0.0)
    except ValueError:
        shapes = ", ".join(f"{name} {values.shape}" for name, values in given.items())
        raise ConfigError(f"inputs, w_in and b_rec of {file} do not fit: {shapes}") from None


def _of_pytorch(found: Mapping[str, Any], names: list[str], file: str) -> Foreign:
    """Return h' = tanh(W_ih x + b_ih + W_hh h + b_hh) of `nn.RNN` or `nn.RNNCell`; two biases are one."""
    if len(names) > 1:
        raise ConfigError(f"{file} holds several recurrent networks: {', '.join(names)}; one of one layer is needed")
    prefix, _, last = names[0].rpartition("weight_hh")
    own = {f"{prefix}{part}{last}" for part in PYTORCH}
    for name, values in found.items():
        if name in own or name.rpartition(".")[2] == "h0":
            continue
        if name.startswith(prefix) and name[len(prefix) :].startswith(PYTORCH):
            raise ConfigError(f"{file} holds {name}; one layer in one direction is needed")
        is_readout = name.endswith((".weight", ".bias")) and getattr(values, "ndim", 0) in (1, 2)
        if not is_readout or (name.endswith(".weight") and np.shape(values)[-1] != np.shape(found[names[0]])[-1]):
            raise ConfigError(f"{file} holds {name}, which is neither of nn.RNN nor of a linear readout of its units")
    biases = [np.asarray(found[name]) for name in sorted(own) if "bias" in name and name in found]
    return Foreign(found[names[0]], sum(biases) if biases else None, name=names[0])


def _refuse_others(found: Mapping[str, Any], known: tuple[str, ...], file: str) -> None:
    others = [name for name in found if name not in known]
    if others:
        raise ConfigError(
            f"{file} holds {', '.join(others)}, which MoLaP does not read; it reads {', '.join(known)}"
            f"{did_you_mean(others[0], known, MEANT)}"
        )
    pickled = [name for name, values in found.items() if isinstance(values, Pickled) and name not in UNOPENED]
    if pickled:
        raise ConfigError(
            f"{file} holds Python objects ({', '.join(pickled)}), which are not opened; molap.bring(fit, 'NAME.npz') "
            "saves a fit in memory without them"
        )
