"""Tables of generalisation: tasks that were left out of the corpus beside the same tasks included (Fig 5)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from molap.paths import FITTED
from molap.tables import performance, split_kind

PAIR = ["source", "task", "network_seed"]


def generalisation(
    run: str, kinds: Sequence[str], labels: dict[str, str], left_out: Sequence[Sequence[str]], blocks: Sequence[str]
) -> pd.DataFrame:
    """One row per source, task, corpus and network seed, with every metric.

    Args:
        run: name of the run.
        kinds: of MoLaP networks; those whose source is not fitted on the corpus stand once.
        labels: task → T1 …, in the order of tasks.
        left_out: the sets of tasks.
        blocks: blocks of network seeds.

    Returns:
        With `left_out` (the set, joined by +; empty for the whole corpus), `n_left_out`, and `place`, the task's place
        in its set from 1; 0 where the corpus has the task.
    """
    found = [performance(run, kinds, labels, blocks).assign(left_out="", n_left_out=0, place=0)]
    fitted = [kind for kind in kinds if split_kind(kind)[1] in FITTED]
    for names in left_out:
        chain = f"{run}/without/{'+'.join(names)}"
        table = performance(chain, fitted, {name: labels[name] for name in names}, blocks)
        places = table.task.map({name: place for place, name in enumerate(names, start=1)})
        found.append(table.assign(left_out="+".join(names), n_left_out=len(names), place=places))
    table = pd.concat(found, ignore_index=True)
    first = ["source", "task", "label", "left_out", "n_left_out", "place", "network_seed"]
    return table[first + [name for name in table.columns if name not in (*first, "strategy")]]


def differences(table: pd.DataFrame, metric: str = "accuracy") -> pd.DataFrame:
    """Left out − included, in percent points, by source, task and left-out set, paired by network seed.

    Returns:
        `difference`, the mean over network seeds, with its 95 % interval by Student's t (`low`, `high`; missing with
        one seed) and `n_seeds`; `to_none` with `to_none_low` and `to_none_high` likewise against the random reservoir.
    """
    included = table[table.n_left_out == 0].set_index(PAIR)[metric]
    rows = []
    for place, group in table[table.n_left_out > 0].groupby(
        ["source", "task", "label", "left_out", "n_left_out", "place"], sort=False
    ):
        own = group.set_index(PAIR)[metric]
        row = dict(zip(["source", "task", "label", "left_out", "n_left_out", "place"], place, strict=True))
        row |= _interval("difference", own - included.loc[own.index]) | {"n_seeds": len(own)}
        none = included[included.index.get_level_values("source") == "none"].droplevel("source")
        if len(none):
            row |= _interval("to_none", own.droplevel("source") - none.loc[own.droplevel("source").index])
        rows.append(row)
    return pd.DataFrame(rows)


def _interval(name: str, values: "pd.Series[float]") -> dict[str, float]:
    n = len(values)
    half = stats.t.ppf(0.975, n - 1) * values.std() / np.sqrt(n) if n > 1 else np.nan
    low, high = ("low", "high") if name == "difference" else (f"{name}_low", f"{name}_high")
    return {name: values.mean(), low: values.mean() - half, high: values.mean() + half}
