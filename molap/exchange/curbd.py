"""Fits of CURBD (Perich et al. 2020): `trainMultiRegionRNN` in Python and in MATLAB.

Its units have a leak, x(t + 1) = x(t) + dt/τ (−x(t) + J r(t) + noise(t)); a network here has none: the matrix is taken
over, and not the time constant.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from molap.config.base import ConfigError
from molap.exchange.convention import Activity

CURBD = (
    *("J", "J0", "regions", "RNN", "tRNN", "dtRNN", "Adata", "tData", "dtData", "chi2", "chi2s", "pVar", "pVars"),
    *("stdData", "inputWN", "iTarget", "iNonTarget", "params"),
)


def from_curbd(model: Mapping[str, Any], file: str) -> tuple[np.ndarray | None, Activity | None]:
    """Return the name of every unit's region if there are any, and the rates of the fit's last run if it holds them."""
    regions = model.get("regions")
    pairs = list(regions.items()) if isinstance(regions, Mapping) else [tuple(row) for row in _rows(regions)]
    activity = None
    if "RNN" in model and "inputWN" in model:
        rates, noise = (
            np.asarray(model[name], np.float64).T[1:] for name in ("RNN", "inputWN")
        )  # both start at step 1
        activity = Activity(rates, noise)
    return (_labels(pairs, len(model["J"]), file) if pairs else None), activity


def _rows(regions: Any) -> list:
    if regions is None or np.size(np.asarray(regions, dtype=object)) == 0:
        return []
    rows = list(regions)
    return [rows] if isinstance(rows[0], str) else rows  # one region, squeezed


def _labels(pairs: list[tuple], n_units: int, file: str) -> np.ndarray:
    """Return the region of every unit; indices are from 0 (Python) or from 1 (MATLAB)."""
    places = [np.atleast_1d(np.asarray(units)).astype(int).ravel() for _, units in pairs]
    every = np.sort(np.concatenate(places))
    first = int(every[0]) if len(every) else 0
    if first not in (0, 1) or not np.array_equal(every, np.arange(first, first + n_units)):
        raise ConfigError(f"regions of {file} do not list each of the {n_units} units exactly once")
    labels = np.empty(n_units, dtype=object)
    for (name, _), units in zip(pairs, places, strict=True):
        labels[units - first] = str(name)
    return labels.astype(str)
