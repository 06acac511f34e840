"""Modules as blocks of units, and the weights that each training phase may change (sections 3.1, 3.4)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from molap.networks.rnn import Params

Mask = bool | Bool[np.ndarray, "..."]


class Trainable(NamedTuple):
    """For each weight: True (trained), False (frozen), an array of booleans (entry by entry), or None (absent)."""

    w_in: Mask
    w_rec: Mask
    w_out: Mask
    b_rec: Mask | None = None
    b_out: Mask | None = None
    h0: Mask | None = None


def module_units(n_units: int, n_modules: int, module: int) -> slice:
    """Return the units of `module` (from 1); modules are equal blocks of consecutive units."""
    size = n_units // n_modules
    return slice((module - 1) * size, module * size)


def pretraining_weights(params: Params, n_modules: int, module: int, input_weights: str = "column") -> Trainable:
    """Return the weights that pre-training a module changes: its block of W_rec, the input column, the readout (A.2.1).

    With `input_weights="released"` (released code), from the second module on, the row of the mask falls one below the
    input weights, on the outgoing recurrent weights of unit m − 2, and the input column stays as it was. As in the
    released code, readout biases and the initial state are trained if they exist; recurrent biases are not.
    """
    units = module_units(params.w_rec.shape[0], n_modules, module)
    recurrent = np.zeros(params.w_rec.shape, bool)
    recurrent[units, units] = True
    off_by_one = _off_by_one(module, input_weights)
    if off_by_one:
        recurrent[:, module - 2] = True
    return _existing(params, w_in=not off_by_one, w_rec=recurrent, b_rec=False)


def pretraining_block(n_units: int, n_modules: int, module: int, input_weights: str = "column") -> slice | None:
    """Return the units within which `pretraining_weights` trains W_rec; None if it also trains weights outside them."""
    return None if _off_by_one(module, input_weights) else module_units(n_units, n_modules, module)


def _off_by_one(module: int, input_weights: str) -> bool:
    """Return whether the row of the released code's mask falls one below the input weights."""
    return input_weights == "released" and module > 1


def head_weights(params: Params) -> Trainable:
    """Return the weights that training on a task changes in the frozen network: W_in and W_out (section 3.4), and with
    biases also b_out and h0."""
    return _existing(params, w_rec=False, b_rec=False)


def all_weights(params: Params) -> Trainable:
    """Return a mask that trains all weights of the network."""
    return _existing(params)


def _existing(params: Params, w_in: Mask = True, w_rec: Mask = True, b_rec: Mask = True) -> Trainable:
    return Trainable(
        w_in,
        w_rec,
        w_out=True,
        b_rec=None if params.b_rec is None else b_rec,
        b_out=None if params.b_out is None else True,
        h0=None if params.h0 is None else True,
    )


def count_trained(params: Params, trainable: Trainable) -> int:
    """Return the number of weights that a phase may change."""
    count = 0
    for value, mask in zip(params, trainable, strict=True):
        if value is not None and mask is not None:
            count += int(np.sum(np.broadcast_to(mask, value.shape)))
    return count


def count_all(params: Params) -> int:
    """Return the number of weights that the network has."""
    return count_trained(params, all_weights(params))
