"""Tables of generalisation: tasks that were left out of the corpus beside the same tasks included (Fig 5)."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from molap.analysis.collect import ScoredElsewhere, performance, split_kind
from molap.analysis.intervals import half_width
from molap.storage.files import read_table
from molap.storage.paths import FITTED, chain_name, chain_run

PAIR = ["source", "task", "network_seed"]
OTHERS = {"difference": None, "to_none": "none", "to_pca": "pca"}
"""What a left-out task is compared with: the source with the whole corpus; None for the same source."""


def generalisation(
    run: str,
    kinds: Sequence[str],
    labels: dict[str, str],
    left_out: Sequence[Sequence[str]],
    blocks: Sequence[str],
    single: str = "absent",
    sources: Sequence[str] = FITTED,
    shared: ScoredElsewhere | None = None,
) -> pd.DataFrame:
    """Return one row per source, task, corpus and network seed, with every metric.

    Args:
        run: name of the run.
        kinds: of MoLaP networks; those whose source is not fitted on the corpus stand once.
        labels: task → T1 …, in the order of tasks.
        left_out: the sets of tasks.
        blocks: blocks of network seeds.
        single: `absent`, or `kept` where a task that is left out alone stays in the corpus (released code).
        sources: for which tasks were left out.
        shared: evaluations that lie in other runs.

    Returns:
        With `left_out` (the set, joined by +; empty for the main run), `n_left_out`, `n_absent` (how many of them the
        corpus really lacks), `place` (the task's place in its set from 1; 0 in the main run), and the differences of
        `paired`.
    """
    found = [performance(run, kinds, labels, blocks, shared).assign(left_out="", n_left_out=0, n_absent=0, place=0)]
    fitted = [kind for kind in kinds if split_kind(kind)[1] in sources]
    for names in left_out:
        table = performance(chain_run(run, names), fitted, {name: labels[name] for name in names}, blocks, shared)
        places = table.task.map({name: place for place, name in enumerate(names, start=1)})
        n_absent = 0 if single == "kept" and len(names) == 1 else len(names)
        table = table.assign(left_out=chain_name(names), n_left_out=len(names), n_absent=n_absent, place=places)
        found.append(table)
    table = paired(pd.concat(found, ignore_index=True))
    first = ["source", "task", "label", "left_out", "n_left_out", "n_absent", "place", "network_seed"]
    first += list(OTHERS)
    return table[first + [name for name in table.columns if name not in (*first, "strategy")]]


def read_generalisation(file: str | Path) -> pd.DataFrame:
    """Return the table of `generalisation` from its file, in which the main run's `left_out` is empty."""
    return read_table(file).fillna({"left_out": ""})


def paired(table: pd.DataFrame, metric: str = "accuracy") -> pd.DataFrame:
    """Add what the metric of a left-out task is above others, in percent points, of the same task and network seed.

    Returns:
        With `difference` (to the same source with the whole corpus), `to_none` (to the random reservoir), and, for CCA,
        `to_pca` (to PCA with the whole corpus); missing in the main run, and where there is nothing to compare with.
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
    """Return the means of the differences over network seeds, by source, task and left-out set.

    Args:
        table: that of `generalisation`.

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
