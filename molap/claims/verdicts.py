"""Verdicts: intervals over network seeds, and what they say of a claim."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from molap.claims.effects import effects
from molap.claims.functions import NotThere
from molap.claims.model import Claim, Claims, Test

HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided"
ONE, NOT_RUN = "one network: descriptive only", "not run"
CONFIDENCE = 0.95


class Interval(NamedTuple):
    """The mean over networks, and its interval by Student's t."""

    mean: float
    low: float
    high: float


def interval(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """Mean and interval over network seeds (seed).

    Each value is one network's; what was drawn for it (trials, perturbations) has to be averaged before, because draws
    of one network are not independent networks.
    """
    n = len(values)
    mean = float(np.mean(values))
    if n < 2:
        return Interval(mean, np.nan, np.nan)
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    return Interval(mean, mean - half, mean + half)


def verdict(values: np.ndarray, limits: tuple[float, float], n_parts: int, seeded: bool) -> str:
    """What the effects of one part say.

    It holds if the 95 % interval lies within the limits, and does not if an interval lies outside, whose error is
    divided among the parts (Bonferroni): all parts must hold, one that does not is enough to refute.
    """
    low, high = limits
    mean = np.mean(values)
    if not seeded:
        return HOLDS if low < mean < high else FAILS
    if len(values) < 2:
        return ONE
    inner, outer = interval(values), interval(values, 1 - (1 - CONFIDENCE) / n_parts)
    if inner.low > low and inner.high < high:
        return HOLDS
    if outer.high <= low or outer.low >= high:
        return FAILS
    return OPEN


def parts_of(claim: Claim, claims: Claims, tables: Mapping[str, pd.DataFrame], by: str | None = None) -> pd.DataFrame:
    """All parts of a claim: effect, interval, verdict; one row with the reason where something was not run.

    Args:
        claim: one of the file's.
        claims: the file.
        tables: the run's tables by name.
        by: the column that stands for `accuracy`; tests of other values are left out.
    """
    found: list[tuple[Test, str, np.ndarray, bool]] = []
    for test in claim.tests:
        if by and test.value != "accuracy":
            continue
        try:
            table = effects(test, claims, tables, by)
        except NotThere as missing:
            return pd.DataFrame([{"claim": claim.claim, "part": str(missing), "verdict": NOT_RUN}])
        for part in table:
            values = table[part].dropna()
            found.append((test, str(part), values.to_numpy(), bool((values.index >= 0).all())))
    rows = []
    for test, part, values, seeded in found:
        row = {"claim": claim.claim, "part": part, "table": test.table, "value": by or test.value}
        row |= {"must_be": test.comparison} | interval(values)._asdict() | {"n_seeds": len(values) if seeded else 0}
        rows.append(row | {"verdict": verdict(values, test.limits, len(found), seeded), "margin": _margin(row, test)})
    return pd.DataFrame(rows)


def _margin(row: dict, test: Test) -> float:
    """How far the effect, at the less favourable end of its interval, is inside the limits (negative: outside)."""
    low, high = (row["mean"] if np.isnan(row[end]) else row[end] for end in ("low", "high"))
    return float(min(low - test.limits[0], test.limits[1] - high))


def decisive(parts: pd.DataFrame) -> pd.Series:
    """The row by which a claim stands or falls: one that refutes it, else one that leaves it open; the narrowest."""
    order = [NOT_RUN, FAILS, OPEN, ONE, HOLDS]
    rank = parts.verdict.map(order.index)
    candidates = parts[rank == rank.min()]
    return candidates.loc[candidates.margin.idxmin()] if "margin" in candidates else candidates.iloc[0]


def judge(claims: Claims, tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per claim, and one per part of a claim.

    Returns:
        claims: number, place, what it says, verdict, the decisive part with effect and interval, number of network
            seeds and of parts, the verdict by each of `also_by`, figures and tables; and all parts.
    """
    rows, all_parts = [], []
    for claim in claims.claims:
        parts = parts_of(claim, claims, tables)
        chosen = decisive(parts)
        row = {"claim": claim.claim, "place": claim.place, "says": claim.says, "reading": claim.reading}
        row |= {name: chosen.get(name) for name in ("verdict", "part", "must_be", "mean", "low", "high", "n_seeds")}
        row |= {"n_parts": len(parts), "n_hold": int((parts.verdict == HOLDS).sum())}
        for column in claims.also_by:
            others = parts_of(claim, claims, tables, column)
            row[f"verdict_{column}"] = decisive(others).verdict if len(others) else ""
            all_parts.append(others)
        row |= {"figures": " ".join(claim.figures), "tables": " ".join(dict.fromkeys(t.table for t in claim.tests))}
        rows.append(row)
        all_parts.append(parts)
    parts = pd.concat([p for p in all_parts if len(p)], ignore_index=True).sort_values("claim", kind="stable")
    return pd.DataFrame(rows), parts.reset_index(drop=True)
