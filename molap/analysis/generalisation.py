"""Make the tables of generalisation: tasks left out of the corpus, compared with the same tasks included (Fig 5)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from molap.analysis.collect import performance
from molap.analysis.intervals import half_width
from molap.storage.files import read_table

PAIR = ["source", "task", "network_seed"]
OTHERS = {"difference": None, "to_none": "none", "to_pca": "pca"}
"""The whole-corpus source that a left-out task is compared with; None for the same source."""


def generalisation(files: Mapping[str, str], labels: Mapping[str, str], single: str = "absent") -> pd.DataFrame:
    """Return one row per source, task, corpus and network seed, with every metric.

    Args:
        files: evaluations, by `tasks left out/kind/task/block of seeds`. The tasks are joined by +; an empty string
            means that no task is left out.
        labels: task → T1 ….
        single: `absent`, or `kept` if a task that is left out alone stays in the corpus (released code).

    Returns:
        The metrics with `left_out` (the set, joined by +; empty for the main run), `n_left_out`, `n_absent` (how many
        of these tasks the corpus really lacks), `place` (the task's position in its set, from 1; 0 in the main run),
        and the differences of `paired`.
    """
    by_corpus: dict[str, dict[str, str]] = {}
    for name, file in files.items():
        left_out, _, network = name.partition("/")
        by_corpus.setdefault(left_out, {})[network] = file
    found = []
    for left_out, own in by_corpus.items():
        names = left_out.split("+") if left_out else []
        table = performance(own, labels)
        places = table.task.map({name: place for place, name in enumerate(names, start=1)}).fillna(0).astype(int)
        n_absent = 0 if single == "kept" and len(names) == 1 else len(names)
        found.append(table.assign(left_out=left_out, n_left_out=len(names), n_absent=n_absent, place=places))
    table = paired(pd.concat(found, ignore_index=True))
    first = ["source", "task", "label", "left_out", "n_left_out", "n_absent", "place", "network_seed"]
    first += list(OTHERS)
    return table[first + [name for name in table.columns if name not in (*first, "strategy")]]


def read_generalisation(file: str | Path) -> pd.DataFrame:
    """Read the table of `generalisation` from its file, with an empty `left_out` for the main run."""
    return read_table(file).fillna({"left_out": ""})


def paired(table: pd.DataFrame, metric: str = "accuracy") -> pd.DataFrame:
    """Add by how much a left-out task's metric exceeds that of other networks with the same task and seed.

    Returns:
        The table with `difference` (from the same source with the whole corpus), `to_none` (from the random reservoir)
        and, for CCA, `to_pca` (from PCA with the whole corpus), in percentage points. Values are missing in the main
        run, and where there is nothing to compare with.
    """
    included = table[table.n_left_out == 0].set_index(PAIR)[metric]
    left_out = table.n_left_out > 0
    found = {}
    for name, source in OTHERS.items():
        others = table[PAIR] if source is None else table[PAIR].assign(source=source)
        values = included.reindex(pd.MultiIndex.from_frame(others)).to_numpy()
        shown = left_out & (table.source == "cca") if source == "pca" else left_out
        found[name] = (table[metric] - values).where(shown)
    return table.assign(**found)


def differences(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean differences over network seeds, by source, task and left-out set.

    Args:
        table: the table of `generalisation`.

    Returns:
        `difference`, `to_none` and `to_pca`, each with its 95 % interval by Student's t (`…_low`, `…_high`; missing
        with one seed), and `n_seeds`.
    """
    keys = ["source", "task", "label", "left_out", "n_left_out", "n_absent", "place"]
    rows = []
    for values, group in table[table.n_left_out > 0].groupby(keys, sort=False):
        row = dict(zip(keys, values, strict=True)) | {"n_seeds": len(group)}
        for name in OTHERS:
            row |= _interval(name, group[name])
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(name: str, values: "pd.Series[float]") -> dict[str, float]:
    half = half_width(values.std(), len(values))
    return {name: values.mean(), f"{name}_low": values.mean() - half, f"{name}_high": values.mean() + half}
