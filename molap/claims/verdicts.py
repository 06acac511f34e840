"""Reach verdicts on claims from intervals over network seeds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from molap.analysis.failures import without_failures
from molap.analysis.intervals import CONFIDENCE, half_width
from molap.claims.effects import check_corpus, effects
from molap.claims.functions import MIN_NETWORKS, NotThere
from molap.claims.model import Claim, Claims, Test
from molap.claims.power import Spread, networks_needed

HOLDS, FAILS, OPEN = "holds", "does not hold", "undecided"
EQUAL = "practically equal"
LEARNED = "learned"
"""Marks, in the table of parts, those that were judged without the networks that failed."""
TOO_FEW = "too few networks"
"""Replaces a verdict if too few networks learned for the claim to be tested without the others."""
ONE, NOT_RUN = "one network: descriptive only", "not run"


class Interval(NamedTuple):
    """The mean over networks, and its interval by Student's t."""

    mean: float
    low: float
    high: float


def interval(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """Return the mean and its interval over network seeds.

    Each value belongs to one network. Values drawn for the same network (trials, perturbations) must be averaged
    first, because draws of one network are not independent networks.

    Args:
        values: one value per network, of shape (seed,).
        confidence: confidence level of the interval.
    """
    n = len(values)
    if not n:
        return Interval(np.nan, np.nan, np.nan)
    mean = float(np.mean(values))
    if n < 2:
        return Interval(mean, np.nan, np.nan)
    half = float(half_width(np.std(values, ddof=1), n, confidence))
    return Interval(mean, mean - half, mean + half)


class Part(NamedTuple):
    """A part of a claim: an effect in every network."""

    test: Test
    name: str
    values: "pd.Series[float]"
    """Effects by network seed. The seed is -1 if seeds play no role; there are no effects if the test was not run."""
    among: "tuple[pd.Series[float], ...]" = ()
    """If one of several effects is enough (`some`), all of them, including these values; otherwise empty."""
    equal_within: float | None = None
    """Effects within ± this are practically equal to zero; None if the part is not a difference of accuracies."""

    @property
    def seeded(self) -> bool:
        """Return whether the part is about networks rather than counts or the corpus, which have no seeds."""
        return bool((self.values.index >= 0).all())

    @property
    def interval(self) -> Interval:
        """Return the interval of the effect; if the effect is the best of several, the error is divided among them."""
        return interval(self.values.to_numpy(), 1 - (1 - CONFIDENCE) / max(1, len(self.among)))

    @property
    def margin(self) -> float:
        """Return how far the less favourable end of the effect's interval is inside the limits (negative: outside)."""
        mean, low, high = self.interval
        low, high = (mean if np.isnan(end) else end for end in (low, high))
        return float(min(low - self.test.limits[0], self.test.limits[1] - high))

    def verdict(self, n_parts: int) -> str:
        """Return the verdict on this part, as one of `n_parts` parts of its claim."""
        if self.values.empty:
            return NOT_RUN
        among = [values.to_numpy() for values in self.among or (self.values,)]
        return verdict(among, self.test.limits, n_parts, self.seeded, self.equal_within)

    @property
    def spread(self) -> Spread:
        """Return the spread from which to estimate how many networks would decide the part."""
        effects = tuple((float(of.mean()), float(of.std())) for of in self.among or (self.values,))
        return Spread(effects, self.test.limits, self.equal_within)


def verdict(
    values: Sequence[np.ndarray],
    limits: tuple[float, float],
    n_parts: int,
    seeded: bool = True,
    equal_within: float | None = None,
) -> str:
    """Return the verdict on the effect of one part, or on several effects of which one is enough.

    The part holds if the 95 % interval lies within the limits. If there are several effects, one is enough, with the
    error divided among them (Bonferroni).

    The part does not hold if the interval lies outside the limits; several effects must all lie outside. Here the error
    is divided among the parts of the claim, because all parts must hold and one that does not is enough to refute it.

    Otherwise, an effect is practically equal to zero if its 95 % interval lies within the margin (two one-sided tests
    at 2.5 %). Two networks leave the verdict open.

    Args:
        values: effects by network, for each effect that would be enough.
        limits: the open interval in which the effect must lie.
        n_parts: number of parts of the claim.
        seeded: whether the values belong to networks; a count has no interval.
        equal_within: the margin of practical equality, or None if there is none.
    """
    low, high = limits
    if not seeded:
        return HOLDS if any(low < np.mean(of) < high for of in values) else FAILS
    if min(map(len, values)) < 2:
        return ONE
    if min(map(len, values)) < MIN_NETWORKS:
        return OPEN
    inner = [interval(of, 1 - (1 - CONFIDENCE) / len(values)) for of in values]
    outer = [interval(of, 1 - (1 - CONFIDENCE) / n_parts) for of in values]
    if any(i.low > low and i.high < high for i in inner):
        return HOLDS
    if all(o.high <= low or o.low >= high for o in outer):
        return FAILS
    if equal_within is not None and all(-equal_within < i.low and i.high < equal_within for i in map(interval, values)):
        return EQUAL
    return OPEN


def _name(effect: str, case: str, some: bool) -> str:
    """Return the name of a part: the effect and any case; it is the "best case" if one is enough."""
    case = f"best case {case}" if some and case else case
    return ", ".join(word for word in (effect, case) if word)


def measured(
    claim: Claim,
    claims: Claims,
    tables: Mapping[str, pd.DataFrame],
    by: str | None = None,
    whole: Mapping[str, pd.DataFrame] | None = None,
) -> list[Part]:
    """Return all parts of a claim; a test that was not run gives a part without values, named by the reason.

    Args:
        claim: one of the claims in the file.
        claims: the claims file.
        tables: the run's tables by name.
        by: the column that replaces `accuracy`; tests of other values are left out.
        whole: the tables with all networks, if `tables` lacks some.
    """
    found = []
    for test in claim.tests:
        if by and test.value != "accuracy":
            continue
        try:
            check_corpus(test, whole or tables)
            frames = effects(test, claims, tables, by)
        except NotThere as missing:
            found.append(Part(test, str(missing), pd.Series(dtype=float)))
            continue
        for name, frame in frames.items():
            margin = claims.margin_of(test)
            parts = [
                Part(test, _name(name, column, test.some), frame[column].dropna(), equal_within=margin)
                for column in frame
            ]
            if test.some:
                among = tuple(part.values for part in parts)
                parts = [max((part._replace(among=among) for part in parts), key=lambda part: part.margin)]
            found += parts
    return found


def parts_of(claim: Claim, claims: Claims, tables: Mapping[str, pd.DataFrame], by: str | None = None) -> pd.DataFrame:
    """Return one row per part of a claim (as in `measured`): effect, interval, verdict, verdict alone, and margin."""
    return _table(claim, measured(claim, claims, tables, by), by or "", by)


def _table(claim: Claim, parts: Sequence[Part], named: str, by: str | None = None) -> pd.DataFrame:
    """Return one row per part; `named` says how the parts differ from the claim's own, for which it is empty."""
    rows = []
    for part in parts:
        row = {"claim": claim.claim, "part": part.name, "verdict": part.verdict(len(parts)), "alone": part.verdict(1)}
        row |= {"by": named} if named else {}
        if len(part.values):
            row |= {"table": part.test.table, "value": by or part.test.value, "must_be": part.test.comparison}
            row |= part.interval._asdict() | {"n_seeds": len(part.values) if part.seeded else 0, "margin": part.margin}
        if row["verdict"] == OPEN:
            row["n_needed"] = _needed([part], len(parts))
        rows.append(row)
    columns = ["claim", "part", "by", "table", "value", "must_be"]
    columns += ["mean", "low", "high", "n_seeds", "verdict", "alone", "margin", "n_needed"]
    return pd.DataFrame(rows, columns=columns)


def _needed(parts: Sequence[Part], n_parts: int) -> float:
    """Return how many networks would decide a claim of these parts; missing if there are fewer than three networks."""
    seeded = [part for part in parts if part.seeded]
    if any(len(part.values) < MIN_NETWORKS for part in seeded):
        return np.nan
    return networks_needed([part.spread for part in seeded], n_parts)


def decisive(parts: pd.DataFrame) -> pd.Series:
    """Return the row that decides a claim, by refuting it or else leaving it open; of several, the narrowest."""
    order = [FAILS, NOT_RUN, OPEN, EQUAL, ONE, HOLDS]
    rank = parts.verdict.map(order.index)
    candidates = parts[rank == rank.min()]
    return candidates.loc[candidates.margin.fillna(-np.inf).idxmin()]


def judge(claims: Claims, tables: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one table with a row per claim, and one with a row per part of a claim.

    Returns:
        The table of claims, and the table of all parts. The table of claims has number, place, what the claim says,
        verdict, the decisive part with effect and interval, numbers of network seeds and of parts, how many networks
        would decide the claim if it is undecided, the verdict by each of `also_by` and, if the file asks for it,
        without networks that failed; figures and tables.
    """
    learned = without_failures(tables) if claims.also_without_failures else {}
    rows, all_parts = [], []
    for claim in claims.claims:
        measures = measured(claim, claims, tables)
        parts = _table(claim, measures, "")
        chosen = decisive(parts)
        row = {"claim": claim.claim, "place": claim.place, "says": claim.says, "reading": claim.reading}
        row |= {name: chosen[name] for name in ("verdict", "part", "must_be", "mean", "low", "high", "n_seeds")}
        row |= {"n_parts": len(parts), "n_hold": int((parts.verdict == HOLDS).sum())}
        row["n_needed"] = _needed(measures, len(parts)) if chosen.verdict == OPEN else np.nan
        all_parts.append(parts)
        for column in claims.also_by:
            others = parts_of(claim, claims, tables, column)
            row[f"verdict_{column}"] = decisive(others).verdict if len(others) else ""
            all_parts.append(others)
        if learned:
            read = {test.table for test in claim.tests} & tables.keys()
            row[f"verdict_{LEARNED}"] = chosen.verdict
            if any(len(learned[name]) < len(tables[name]) for name in read):
                others = _table(claim, measured(claim, claims, learned, whole=tables), LEARNED)
                found = decisive(others).verdict
                row[f"verdict_{LEARNED}"] = TOO_FEW if found == NOT_RUN != chosen.verdict else found
                all_parts.append(others)
        row |= {"figures": " ".join(claim.figures), "tables": " ".join(dict.fromkeys(t.table for t in claim.tests))}
        rows.append(row)
    parts = pd.concat([p for p in all_parts if len(p)], ignore_index=True)
    return pd.DataFrame(rows), parts
