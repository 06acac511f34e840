"""Make tables of networks that learn tasks in sequence: accuracy on every task after each task, and forgetting."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from molap.analysis.collect import split_kind
from molap.storage.files import read_json


def continual(files: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per kind, order, network seed, place in the sequence (0: untrained) and tested task.

    Args:
        files: scores of sequences, by `kind/order/block of seeds`.
    """
    rows = []
    for name, file in files.items():
        strategy, source = split_kind(name.split("/")[0])
        rows += [{"strategy": strategy, "source": source} | row for row in read_json(file)]
    return pd.DataFrame(rows)


def forgetting(scores: pd.DataFrame, metrics: Iterable[str] = ("accuracy", "decision_accuracy")) -> pd.DataFrame:
    """Summarise each sequence, in percentage points.

    Let T be the number of tasks, a[j, i] the accuracy on the i-th task after j tasks, and a[0, i] that of the
    untrained network. Then `average` = mean a[T, i]; `right_after` = mean a[i, i]; `forgetting` = mean over i < T of
    max over i ≤ j < T of a[j, i] − a[T, i] (Chaudhry et al. 2018, here from the learning of the task on);
    `backward_transfer` = mean over i < T of a[T, i] − a[i, i] and `forward_transfer` = mean over i > 1 of
    a[i − 1, i] − a[0, i] (Lopez-Paz and Ranzato 2017).
    """
    rows = []
    for names, group in scores.groupby(["strategy", "source", "order", "network_seed"], sort=False):
        learned = group[group.place > 0].drop_duplicates("place").sort_values("place").after.tolist()
        row = dict(zip(("strategy", "source", "order", "network_seed"), names, strict=True))
        for metric in metrics:
            a = group.pivot_table(index="place", columns="task", values=metric)[learned].to_numpy()
            n = len(learned)
            last, after = a[n], np.diag(a[1:])
            best = np.array([a[i + 1 : n, i].max() for i in range(n - 1)])
            before = np.array([a[i, i] for i in range(1, n)])
            row |= {
                f"{metric}_average": last.mean(),
                f"{metric}_right_after": after.mean(),
                f"{metric}_forgetting": (best - last[:-1]).mean() if n > 1 else 0.0,
                f"{metric}_backward_transfer": (last[:-1] - after[:-1]).mean() if n > 1 else 0.0,
                f"{metric}_forward_transfer": (before - a[0, 1:]).mean() if n > 1 else 0.0,
            }
        rows.append(row)
    return pd.DataFrame(rows)
