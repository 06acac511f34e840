"""Summarise perturbed networks: means over draws, accuracy relative to the intact network, area under the curve."""

import numpy as np
import pandas as pd

from molap.storage.paths import ALL_TASKS

INTACT = "intact"
METRICS = ("accuracy", "decision_accuracy", "all_correct", "mse")
NETWORK = ["strategy", "source", "n_units", "task", "network_seed"]


def robustness(sweeps: pd.DataFrame) -> pd.DataFrame:
    """Return one row per network, perturbation and strength: mean and standard deviation of each metric over draws.

    The intact network counts as strength 0 of every perturbation. `relative` is the accuracy in percent of the intact
    network's (missing if that is 0). Rows with the task `all` average over tasks within each draw before taking the
    mean and standard deviation over draws. `n_hit` is the number of entries or units hit.
    """
    sweeps = _with_intact(sweeps[[*NETWORK, "perturbation", "strength", "n_hit", "draw", "best_constant", *METRICS]])
    intact = sweeps[sweeps.strength == 0].drop_duplicates(NETWORK).set_index(NETWORK).accuracy.rename("intact")
    sweeps = sweeps.join(intact, on=NETWORK)
    place = ["strategy", "source", "n_units", "perturbation", "strength", "network_seed", "draw"]
    mean = sweeps.groupby(place, sort=False).mean(numeric_only=True).reset_index().assign(task=ALL_TASKS)
    sweeps = pd.concat([sweeps, mean.astype({"n_hit": int})], ignore_index=True)
    sweeps["relative"] = 100 * sweeps.accuracy / sweeps.intact.where(sweeps.intact > 0)
    groups = sweeps.groupby([*NETWORK, "perturbation", "strength"], sort=False)
    columns = {"n_hit": ("n_hit", "first"), "n_draws": ("draw", "size"), "best_constant": ("best_constant", "first")}
    for metric in (*METRICS, "relative"):
        columns |= {metric: (metric, "mean"), f"{metric}_sd": (metric, "std")}
    return groups.agg(**columns).reset_index()


def _with_intact(sweeps: pd.DataFrame) -> pd.DataFrame:
    """Add the intact network as strength 0 of every perturbation applied to it."""
    perturbed = sweeps[sweeps.perturbation != INTACT]
    intact = sweeps[sweeps.perturbation == INTACT]
    own, as_zero = ["strategy", "source", "task"], []
    for name, given in perturbed.groupby("perturbation", sort=False):
        networks = pd.MultiIndex.from_frame(given[own])
        as_zero.append(intact[pd.MultiIndex.from_frame(intact[own]).isin(networks)].assign(perturbation=name))
    return pd.concat([*as_zero, perturbed], ignore_index=True)


def areas(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per network and perturbation: the mean height of the curve over strengths (trapezoidal rule).

    Args:
        table: the table of `robustness`.

    Returns:
        `area` for the accuracy and `relative_area` for the accuracy relative to the intact network, both in percent,
        from strength 0 to `up_to`.
    """
    rows = []
    for names, curve in table.groupby([*NETWORK, "perturbation"], sort=False):
        curve = curve.sort_values("strength")
        rows.append(
            dict(zip([*NETWORK, "perturbation"], names, strict=True))
            | {
                "up_to": curve.strength.iloc[-1],
                "area": _mean_height(curve.strength, curve.accuracy),
                "relative_area": _mean_height(curve.strength, curve.relative),
            }
        )
    return pd.DataFrame(rows)


def area_under_curve(curve: "pd.Series[float]", intact: float) -> float:
    """Return the mean height of a curve over its strengths (the index), with the intact network's value at 0."""
    return _mean_height(np.concatenate([[0.0], curve.index]), np.concatenate([[intact], curve]))


def _mean_height(x, y) -> float:
    x, y = np.asarray(x, float), np.asarray(y, float)
    return float(np.trapezoid(y, x) / (x[-1] - x[0]))
