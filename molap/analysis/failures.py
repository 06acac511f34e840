"""Find failed networks, whose accuracy is below that of the best constant output."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

NETWORK = ["strategy", "source", "task", "network_seed"]
"""Columns that identify a network and its task in the tables of performance, robustness and areas."""
COMPARED = ("cca", "pca", "none")
"""Sources whose whole-corpus networks are compared with networks of left-out tasks."""


def failures(performance: pd.DataFrame) -> pd.DataFrame:
    """Return how many networks of each kind failed at each task.

    Args:
        performance: the table of performance.

    Returns:
        One row per strategy, source and task: `n_networks`, `n_failed`, the accuracy of the best constant output (%)
        and the lowest accuracy of a network (%).
    """
    found = performance.assign(failed=failed(performance))
    by = found.groupby(["strategy", "source", "task", "label"], sort=False)
    return by.agg(
        n_networks=("failed", "size"),
        n_failed=("failed", "sum"),
        best_constant=("best_constant", "first"),
        lowest_accuracy=("accuracy", "min"),
    ).reset_index()


def without_failures(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables without the rows of networks that failed.

    Robustness and areas lose a network's rows if it had failed before it was perturbed. Generalisation loses a row if
    its network failed, or if a whole-corpus network that it is compared with failed. Tables without networks, and
    tables about several tasks at once, stay as they are.
    """
    found = dict(tables)
    for name in ("performance", "modules"):
        if name in tables:
            found[name] = tables[name][~failed(tables[name])]
    if "performance" in tables:
        for name in ("robustness", "areas"):
            if name in tables:
                found[name] = _others(tables[name], tables["performance"][failed(tables["performance"])], NETWORK)
    if "generalisation" in tables:
        table = tables["generalisation"]
        whole = table[(table.n_left_out == 0) & table.source.isin(COMPARED) & failed(table)]
        found["generalisation"] = _others(table[~failed(table)], whole, ["task", "network_seed"])
    return found


def failed(table: pd.DataFrame) -> "pd.Series[bool]":
    """Return, for each row of a table, whether its network stayed below the best constant output."""
    return table.accuracy < table.best_constant


def _others(table: pd.DataFrame, lost: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return the rows of a table that do not belong to a failed network."""
    names = set(map(tuple, lost[by].to_numpy()))
    return table[np.array([row not in names for row in map(tuple, table[by].to_numpy())], bool)]
