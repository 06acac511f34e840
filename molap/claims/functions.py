"""Test functions of claims that are no arithmetic on series: each gives the effect by network seed and part."""

from collections.abc import Callable

import numpy as np
import pandas as pd


class NotThere(LookupError):
    """What a test compares was not run; the message says what."""


EASY = ("T1", "T2", "T3", "T4")
"""Tasks that report an angle; the others compare (section 4)."""
Series = Callable[[str], pd.Series]


def gap_of_hard_less_easy(series: Series) -> pd.DataFrame:
    """Largest less smallest mean of MoLaP, separate networks and DNI on a task: mean over T5–T9 less mean over T1–T4.

    Of means over networks, because a range within each network grows with its noise. Each network's value is its
    pseudo-value of the jackknife: their mean is the jackknife's estimate, their spread gives its error.
    """
    methods = pd.concat({name: series(name) for name in ("molap", "separate", "dni")}, axis=1).dropna()
    accuracy = methods.stack().unstack("label").dropna(axis=1)  # noqa: PD010, PD013 (rows: seed, method)
    easy = accuracy.columns.isin(EASY)
    if easy.all() or not easy.any():
        raise NotThere("of T1 to T4 and of T5 to T9, at least one task each")
    seeds = accuracy.index.get_level_values(0).unique()

    def gap(of: pd.Index) -> float:
        means = accuracy.loc[of].groupby(level=1).mean().to_numpy()
        gaps = np.ptp(means, axis=0)
        return gaps[~easy].mean() - gaps[easy].mean()

    n, whole = len(seeds), gap(seeds)
    values = [whole if n == 1 else n * whole - (n - 1) * gap(seeds.drop(seed)) for seed in seeds]
    return pd.DataFrame({"gap on T5–T9 less T1–T4": values}, index=seeds)


def t7_less_each_other(series: Series) -> pd.DataFrame:
    """What T7 loses less what each other task loses."""
    tasks = series("left_out").unstack("label")  # noqa: PD010 (a series has no pivot_table)
    if "T7" not in tasks or len(tasks.columns) < 2:
        raise NotThere("T7 and another task were not left out")
    return pd.DataFrame({f"T7 less {label}": tasks["T7"] - tasks[label] for label in tasks if label != "T7"})


TEST_FUNCTIONS = {function.__name__: function for function in (gap_of_hard_less_easy, t7_less_each_other)}
