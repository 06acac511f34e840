"""Test functions of claims that are no arithmetic on series: each gives the effect by network seed and part."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from molap.claims.model import Test


class NotThere(LookupError):
    """What a test compares was not run; the message says what."""


EASY = ("T1", "T2", "T3", "T4")
"""Tasks that report an angle; the others compare (section 4)."""


def gap_of_hard_less_easy(series: "Callable[[str], pd.Series]", test: "Test") -> pd.DataFrame:
    """Largest less smallest of MoLaP, separate networks and DNI on a task, mean over T5–T9 less mean over T1–T4."""
    gaps = _gaps(series)
    easy = gaps.columns.isin(EASY)
    if easy.all() or not easy.any():
        raise NotThere("of T1 to T4 and of T5 to T9, at least one task each")
    return pd.DataFrame({"gap on T5–T9 less T1–T4": gaps.loc[:, ~easy].mean(axis=1) - gaps.loc[:, easy].mean(axis=1)})


def _gaps(series: "Callable[[str], pd.Series]") -> pd.DataFrame:
    methods = pd.concat([series(name) for name in ("molap", "separate", "dni")], axis=1).dropna()
    return (methods.max(axis=1) - methods.min(axis=1)).unstack("label")  # noqa: PD010 (a series has no pivot_table)


def t7_less_each_other(series: "Callable[[str], pd.Series]", test: "Test") -> pd.DataFrame:
    """What T7 loses less what each other task loses."""
    tasks = series("left_out").unstack("label")  # noqa: PD010 (as above)
    if "T7" not in tasks:
        raise NotThere("T7 was not left out")
    return pd.DataFrame({f"T7 less {label}": tasks["T7"] - tasks[label] for label in tasks if label != "T7"})


TEST_FUNCTIONS = {function.__name__: function for function in (gap_of_hard_less_easy, t7_less_each_other)}
