"""Define tests of claims that are not arithmetic on series; each returns the effect by network seed and part."""

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd


class NotThere(LookupError):
    """Raised when the run lacks results that a test compares; the message says which ones."""


EASY = ("T1", "T2", "T3", "T4")
"""Tasks that report an angle; the other tasks compare (section 4)."""
MIN_NETWORKS = 3
"""Networks needed for a verdict: intervals of two values are guesses, and training outcomes are far from normal."""
Series = Callable[[str], pd.Series]


def difference_of_hard_less_easy(series: Series) -> pd.DataFrame:
    """Return how much methods differ on T5–T9 minus how much they differ on T1–T4, in squared points.

    The difference is (difference of means)², averaged over tasks and over the pairs of MoLaP, separate networks and
    DNI. Means differ by chance alone, which makes their squared difference, or their range, positive. The square is
    therefore estimated from products of different networks, Σ_{s≠t} D_s D_t / n(n − 1), where D_s is the difference
    in network s. This estimate is zero on average if the methods are alike. The value of each network is its jackknife
    pseudo-value: the mean of these values is the estimate, and their spread gives its error. For one or two networks,
    which cannot decide anything, the value is D_s².
    """
    methods = pd.concat({name: series(name) for name in ("molap", "separate", "dni")}, axis=1).dropna()
    pairs = {f"{a} {b}": methods[a] - methods[b] for a, b in itertools.combinations(methods, 2)}
    found = pd.concat(pairs, axis=1).unstack("label").dropna(axis=1)  # noqa: PD010 (columns: pair, label)
    easy = found.columns.get_level_values("label").isin(EASY)
    if easy.all() or not easy.any():
        raise NotThere("of T1 to T4 and of T5 to T9, at least one task each")
    differences = found.to_numpy()
    n = len(differences)

    def excess(of: np.ndarray) -> float:
        squared = (of.sum(axis=0) ** 2 - (of**2).sum(axis=0)) / (len(of) * (len(of) - 1))
        return squared[~easy].mean() - squared[easy].mean()

    if n < MIN_NETWORKS:
        values = (differences**2)[:, ~easy].mean(axis=1) - (differences**2)[:, easy].mean(axis=1)
    else:
        whole = excess(differences)
        values = [n * whole - (n - 1) * excess(np.delete(differences, place, axis=0)) for place in range(n)]
    return pd.DataFrame({"squared difference (points²) on T5–T9 less T1–T4": values}, index=found.index)


def t7_less_each_other(series: Series) -> pd.DataFrame:
    """Return the loss of T7 minus the loss of each other task."""
    tasks = series("left_out").unstack("label")  # noqa: PD010 (a series has no pivot_table)
    if "T7" not in tasks or len(tasks.columns) < 2:
        raise NotThere("T7 and another task were not left out")
    return pd.DataFrame({f"T7 less {label}": tasks["T7"] - tasks[label] for label in tasks if label != "T7"})


TEST_FUNCTIONS = {function.__name__: function for function in (difference_of_hard_less_easy, t7_less_each_other)}
