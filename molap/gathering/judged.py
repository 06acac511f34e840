"""State the verdicts on claims, and what switching a reading does to the effects behind them."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from molap.claims.functions import MIN_NETWORKS
from molap.claims.power import MOST
from molap.claims.verdicts import EQUAL, FAILS, HOLDS, NOT_RUN, ONE, OPEN
from molap.gathering.glosses import SWITCHED
from molap.gathering.phrases import Effect, in_words
from molap.gathering.statements import Evidence, of_one_more
from molap.report.article.words import MINUS, number, ranges

ORDER = (HOLDS, FAILS, EQUAL, OPEN, ONE, NOT_RUN)
SAID = {
    HOLDS: ("holds", "hold"),
    FAILS: ("does not hold", "do not hold"),
    EQUAL: ("finds no difference that matters", "find no difference that matters"),
    OPEN: ("is undecided", "are undecided"),
    ONE: ("has one network and no verdict", "have one network and no verdict"),
    NOT_RUN: ("was not run", "were not run"),
}
"""Verdict → the words for one claim and for several."""
EXACT = 1e-6
"""Largest half-width, in points of accuracy, that counts as zero, as on a task with 100 in every network."""
NO_SWITCH = "none"


class Switch(NamedTuple):
    """Describe what a switched reading does: its networks, and the effects that moved."""

    name: str
    n: int
    moved: pd.DataFrame

    @property
    def says(self) -> str:
        """Return what the switch does, in a few words; nothing for a switch of one's own."""
        return SWITCHED.get(self.name, "")

    @property
    def summary(self) -> str:
        """Write which effects moved: by claim, how many of its parts, and by how much."""
        return "; ".join(_claim_moved(claim, of) for claim, of in self.moved.groupby("claim", sort=False))

    @property
    def claims(self) -> str:
        """Write the numbers of the claims whose effects moved."""
        return ranges(sorted({int(claim) for claim in self.moved.claim}))


def _claim_moved(claim: object, of: pd.DataFrame) -> str:
    if len(of) == 1:
        (row,) = of.itertuples()
        by = Effect(row.change, row.change_low, row.change_high, int(row.n_seeds))
        return f"claim {claim}, {row.part}: {by.bare}"
    return f"claim {claim}, {in_words(len(of))} parts: {number(of.change.min())} to {number(of.change.max())}"


class Judged:
    """The verdicts on the claims, and the attribution.

    Args:
        evidence: the committed tables.
        folder: where the tables of claims lie, of `FOLDERS`.
    """

    def __init__(self, evidence: Evidence, folder: str = "reference"):
        self.evidence = evidence
        self.folder = folder
        self.claims = evidence.table("claims", folder)
        self.parts = evidence.table("claim_parts", folder)

    def verdict(self, claim: int) -> str:
        """Return the verdict on a claim."""
        rows = self._row(claim)
        return str(rows.verdict.iloc[0]) if len(rows) else NOT_RUN

    def said(self, claim: int) -> str:
        """Write the verdict on a claim as a verb: holds, is undecided."""
        return SAID[self.verdict(claim)][0]

    def limit(self, claim: int) -> str:
        """Return the number that a claim's effect must be above or below; nothing if it was not judged."""
        rows = self._row(claim)
        found = re.findall(r"[-\d.]+", str(rows.must_be.iloc[0])) if len(rows) else []
        return found[0] if found else ""

    def part(self, claim: int, name: str) -> Effect:
        """Return the effect of a part of a claim, judged by the claim's own column with all networks."""
        rows = self.parts
        rows = rows[(rows.claim == claim) & (rows.part == name) & rows.by.isna()] if len(rows) else rows
        return _effect(rows.iloc[0]) if len(rows) else Effect()

    def counts(self) -> list[str]:
        """Write how many claims have each verdict: 5 hold."""
        found = []
        for verdict in ORDER if len(self.claims) else ():
            n = int((self.claims.verdict == verdict).sum())
            found += [f"{in_words(n)} {SAID[verdict][n > 1]}"] if n else []
        return found

    def networks(self) -> list[tuple[int, str]]:
        """Return numbers of networks and the claims that rest on each, most networks first; zero for counts."""
        if self.claims.empty:
            return []
        ran = self.claims[self.claims.n_seeds.notna()]
        groups = ran.groupby("n_seeds").claim.apply(list)
        return [(int(n), claims_named(of)) for n, of in sorted(groups.items(), reverse=True)]

    def otherwise(self, column: str) -> str:
        """Write which claims have another verdict by another column, and which verdict."""
        if column not in self.claims:
            return ""
        rows = self.claims[self.claims[column].notna() & (self.claims[column] != self.claims.verdict)]
        groups = rows.groupby(column, sort=False).claim.apply(list)
        said = [f"{claims_named(of)} {_said(str(verdict), len(of))}" for verdict, of in groups.items()]
        return "; ".join(said)

    def n_judged(self) -> int:
        """Return the number of claims that were run."""
        return int((self.claims.verdict != NOT_RUN).sum()) if len(self.claims) else 0

    def compared(self, now: "Judged", short: Mapping[int, str]) -> list[list[object]]:
        """Return a row per claim that has another verdict now, among those judged: number, words, before, now."""
        both = [(claim, self.verdict(claim), now.verdict(claim)) for claim in short]
        return [[claim, short[claim], old, new] for claim, old, new in both if old != new and NOT_RUN not in (old, new)]

    def table(self, short: Mapping[int, str]) -> list[list[object]]:
        """Return a row per claim: number, words, verdict, what decides, effect, networks, needed, without failures.

        Args:
            short: what each claim says, in a few words; the claims file's words otherwise.
        """
        rows = []
        for _, row in self.claims.iterrows():
            decides = "" if pd.isna(row["mean"]) else f"{row.part}: {row.must_be}".replace(" -", f" {MINUS}")
            learned = row.get("verdict_learned", math.nan)
            rows.append(
                [
                    int(row.claim),
                    short.get(int(row.claim), row.says),
                    row.verdict,
                    decides,
                    "" if pd.isna(row["mean"]) else _effect(row).bare.replace(" (one network)", ""),
                    needed(row.n_needed),
                    "" if pd.isna(learned) or learned == row.verdict else learned,
                ]
            )
        return rows

    def _row(self, claim: int) -> pd.DataFrame:
        return self.claims[self.claims.claim == claim] if len(self.claims) else self.claims

    # Attribution

    def switched(self, switch: str, claim: int, part: str) -> Effect:
        """Return an effect under a switched reading."""
        rows = self._attribution()
        rows = rows[(rows.switch == switch) & (rows.claim == str(claim)) & (rows.part == part)] if len(rows) else rows
        return _effect(rows.iloc[0]) if len(rows) else Effect()

    def _attribution(self) -> pd.DataFrame:
        table = self.evidence.table("attribution")
        return table.assign(claim=table.claim.astype(str)) if len(table) else table

    def n_switches(self) -> int:
        """Return how many readings were switched."""
        table = self._attribution()
        return int((table.switch.drop_duplicates() != NO_SWITCH).sum()) if len(table) else 0

    def clear(self) -> list[Switch]:
        """Return the switches tried on at least three networks, with the effects whose change excludes zero."""
        return [
            Switch(name, n, of[(of.n_seeds >= MIN_NETWORKS) & ((of.change_low > EXACT) | (of.change_high < -EXACT))])
            for name, n, of in self._by_switch()
            if n >= MIN_NETWORKS
        ]

    def hints(self) -> list[Switch]:
        """Return the switches tried on fewer networks, with effects beyond what single networks show unswitched."""
        return [Switch(name, n, self._beyond(of)) for name, n, of in self._by_switch() if n < MIN_NETWORKS]

    def n_unswitched(self) -> int:
        """Return how many networks were tried with nothing switched."""
        table = self._attribution()
        rows = table[table.switch == NO_SWITCH] if len(table) else table
        return int(rows.n_seeds.fillna(0).max()) if len(rows) else 0

    def n_moved_once(self) -> int:
        """Return how many effects moved at all under switches that were tried on fewer networks."""
        return sum(int((of.change.abs() > 0).sum()) for _, n, of in self._by_switch() if n < MIN_NETWORKS)

    def _by_switch(self) -> list[tuple[str, int, pd.DataFrame]]:
        table = self._attribution()
        if table.empty:
            return []
        groups = table[(table.switch != NO_SWITCH) & (table.n_seeds > 0)].groupby("switch", sort=False)
        return [(str(name), int(of.n_seeds.max()), of) for name, of in groups]

    def _beyond(self, of: pd.DataFrame) -> pd.DataFrame:
        table = self._attribution()
        key = ["claim", "part"]
        usual = of_one_more(table[table.switch == NO_SWITCH].set_index(key))
        ends = of[key].join(usual, on=key)
        outside = (of["mean"] < ends.lowest - EXACT) | (of["mean"] > ends.highest + EXACT)
        return of[outside & (of.change != 0)]


def needed(n: float) -> str:
    """Write how many networks would decide a claim; nothing where none are needed."""
    if pd.isna(n):
        return ""
    return f"over {MOST:,}" if math.isinf(n) else f"{int(n):,}"


def claims_named(claims: Iterable[int]) -> str:
    """Write a list of claims: claim 9, or claims 1 to 5 and 7."""
    numbers = [int(claim) for claim in claims]
    return f"claim{'s' if len(numbers) > 1 else ''} {ranges(numbers)}"


def _said(verdict: str, n: int) -> str:
    if verdict in SAID:
        return SAID[verdict][n > 1]
    return f"{'have' if n > 1 else 'has'} {verdict} to be tested"


def _effect(row: pd.Series) -> Effect:
    n = 0 if pd.isna(row.n_seeds) else int(row.n_seeds)
    return Effect(row["mean"], row.low, row.high, n)  # counts have no networks and no interval
