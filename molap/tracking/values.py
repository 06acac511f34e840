"""Turn settings, metrics and curves of a record into what MLflow stores: parameters, metrics, and points of curves."""

import hashlib
from typing import Any

import numpy as np

from molap.storage.files import canonical_json

N_CURVE_POINTS = 100
"""Points kept of a curve, each the mean of a stretch of steps; more would slow the database and show no more."""
MAX_PARAM = 6000
"""Characters of a parameter that MLflow stores; of a longer one, what fits, with a digest of the whole."""
COUNTS = ("n_trained", "n_updates", "n_weights")
"""A run that scores a network also shows these metrics of the network."""
TRAINING = ("module", "head", "separate", "sequence", "joint")
"""Stages whose metrics go under `train/`."""


def params_of(settings: dict, network: dict | None) -> dict[str, str]:
    """Return the job's own settings, preceded by those of the network that is evaluated."""
    found = flatten((network or {}).get("settings", {})) | flatten(settings)
    return {name: whole(value) for name, value in found.items() if name != "seeds" and value}


def flatten(settings: dict, prefix: str = "") -> dict[str, str]:
    """Return nested settings as texts by dotted names, with lists as JSON."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= flatten(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value if isinstance(value, str) else canonical_json(value)
    return found


def whole(value: str) -> str:
    """Return a parameter as MLflow can store it; one that is cut ends with a digest, so that two that differ do so."""
    if len(value) <= MAX_PARAM:
        return value
    end = f"… ({len(value)} characters, SHA-256 {hashlib.sha256(value.encode()).hexdigest()[:16]})"
    return value[: MAX_PARAM - len(end)] + end


def prefix_of(stage: str, upstream: dict) -> str:
    """Return what stands before the metrics of a stage."""
    if stage == "evaluation":
        stream = upstream.get("testset", {}).get("settings", {}).get("stream", "test")
        return "val" if stream == "validation" else "test"
    return "train" if stage in TRAINING else {"primitives": "fit"}.get(stage, stage)


def metrics_of(prefix: str, metrics: dict[str, Any], upstream: dict) -> tuple[dict, dict]:
    """Return single values, and values by component as curves, under a prefix."""
    single, by_component = {}, {}
    for name, value in metrics.items():
        if isinstance(value, list):
            by_component[f"{prefix}/{name}"] = [(i + 1, v) for i, v in enumerate(value) if _is_number(v)]
        elif not isinstance(value, dict):
            single[f"{prefix}/{name}"] = value
    network = upstream.get("network", {}).get("metrics", {})
    single |= {f"train/{n}": network[n] for n in COUNTS if n in network}
    return single, by_component


def directions(prefix: str, record: dict, upstream: dict, times: dict) -> dict[str, str]:
    """Return the tags `higher_is_better` and `lower_is_better`, each a list of metrics.

    The record declares the direction of its own metrics, the network's record that of the network's; times are better
    if they are lower.
    """
    found = {f"{prefix}/{name}": way for name, way in record.get("better", {}).items()}
    of_network = upstream.get("network", {}).get("better", {})
    found |= {f"train/{name}": of_network[name] for name in COUNTS if name in of_network}
    found |= {f"train/{name}": way for name, way in record.get("better", {}).items() if name in record["curves"]}
    found |= dict.fromkeys(times, "lower")
    return {
        f"{way}_is_better": ",".join(sorted(name for name, of in found.items() if of == way))
        for way in sorted({*found.values()})
    }


def thin(curve: list[float | int | None], n_points: int = N_CURVE_POINTS) -> list[tuple[int, float]]:
    """Return (step, mean) over equal stretches of a curve, each at its last step; steps count from 1.

    A missing value, such as after a loss that was not finite, makes the mean of its stretch NaN.
    """
    if not curve:
        return []
    values = np.array([np.nan if value is None else value for value in curve], dtype=float)
    stretches = np.array_split(np.arange(len(values)), min(n_points, len(values)))
    return [(int(steps[-1]) + 1, float(values[steps].mean())) for steps in stretches]


def timed(points: list[tuple[int, float]], start: int, end: int) -> list[tuple[int, float, int]]:
    """Return the finite points of a curve with the times (ms) at which a steady pace from start to end reaches them."""
    last = points[-1][0]
    return [(step, value, start + round((end - start) * step / last)) for step, value in points if np.isfinite(value)]


def finite(values: dict[str, Any]) -> dict[str, float]:
    """Return the values that are finite numbers."""
    return {name: float(value) for name, value in values.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))
