"""Put effects, counts and lists of tasks into words that fit them, whatever the results are."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import SupportsFloat

import pandas as pd

from molap.claims.functions import MIN_NETWORKS
from molap.claims.reading import read_claims
from molap.claims.verdicts import FAILS, HOLDS, OPEN, Interval, interval
from molap.report.article.words import MINUS, listed, number

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
TIMES = {1: "once", 2: "twice"}
MISSING = "–"
"""Stands for a number that no table has."""
ABOUT = 5.0
"""Points of accuracy within which the claims take “about as well” (docs/claims.md)."""
MARGIN = read_claims(None).margin or 0.0
"""Points of accuracy within which two kinds of network are practically equal."""


@dataclass(frozen=True)
class Effect:
    """A mean over networks with its 95 % interval; false if there are no networks."""

    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: int = 0

    def __bool__(self) -> bool:
        return self.n > 0

    def way(self, about: float | None = None) -> str:
        """Return where the interval lies: above or below zero, equal, or open.

        Return `few` for fewer networks than decide a claim, and nothing without networks.

        Args:
            about: how far from zero still counts as about equal, for a claim that says so; by default, an interval
                counts as equal if it holds zero and lies within the margin of practical equality.
        """
        if self.n < MIN_NETWORKS:
            return "few" if self.n else ""
        if about is not None and -about < self.low and self.high < about:
            return "equal"
        if self.low > 0 or self.high < 0:
            return "above" if self.low > 0 else "below"
        return "equal" if self.low > -MARGIN and self.high < MARGIN else "open"

    def say(self, above: str, below: str, equal: str, undecided: str, about: float | None = None) -> str:
        """Return the words that are true of the interval; few networks decide nothing."""
        words = {"above": above, "below": below, "equal": equal, "open": undecided, "few": undecided, "": "not run"}
        return words[self.way(about)]

    def compares(
        self,
        above: str = "is better than",
        below: str = "is worse than",
        equal: str = "is as good as",
        about: float | None = None,
    ) -> str:
        """Return how one kind compares with another; of few networks, only where their mean lies."""
        if self.way() == "few":
            said = number(self.mean)
            return "is level with" if said == number(0) else "is below" if said.startswith(MINUS) else "is above"
        return self.say(above, below, equal, "cannot be distinguished from", about)

    def within(self, about: float) -> str:
        """Return whether the effect lies within ± `about`: holds, does not hold, or undecided."""
        if self.way(about) == "equal":
            return HOLDS
        return FAILS if self.n >= MIN_NETWORKS and (self.low >= about or self.high <= -about) else OPEN

    def less(self, level: float) -> "Effect":
        """Return the effect less a number."""
        return Effect(self.mean - level, self.low - level, self.high - level, self.n)

    def with_unit(self, unit: str, decimals: int = 1) -> str:
        """Write the mean with a unit, and its interval."""
        mean = f"{number(self.mean, decimals)} {unit}".rstrip()
        if self.n < 2 or math.isnan(self.low):
            return f"{mean} (one network)" if self.n == 1 else mean
        return f"{mean} ({number(self.low, decimals)} to {number(self.high, decimals)})"

    @property
    def points(self) -> str:
        """Write the effect in points of accuracy."""
        return self.with_unit("points")

    @property
    def percent(self) -> str:
        """Write the effect in percent."""
        return self.with_unit("%")

    @property
    def bare(self) -> str:
        """Write the effect without a unit, as for a table."""
        return self.with_unit("")

    @property
    def inner(self) -> str:
        """Write the effect in points, without brackets, as inside other brackets."""
        return self.points.replace(" (", ", ").rstrip(")")

    @property
    def size(self) -> str:
        """Write how large the effect is, in points, whichever its sign; the interval turns with it."""
        turned = Effect(-self.mean, -self.high, -self.low, self.n) if self.mean < 0 else self
        return turned.points


@dataclass(frozen=True)
class Share:
    """Count how many of some networks failed, and on which tasks; false if there are no networks."""

    failed: int = 0
    n: int = 0
    tasks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.n > 0

    @property
    def passed(self) -> int:
        """Return how many networks did not fail."""
        return self.n - self.failed

    @property
    def of(self) -> str:
        """Write how many of them failed: four of 90."""
        return f"{in_words(self.failed, 'none')} of {in_words(self.n)}"

    def end(self, noun: str = "networks") -> str:
        """Write how many of them end below the best constant output, with the verb: four of 90 networks end."""
        return f"{self.of} {noun} {'end' if self.failed > 1 else 'ends'}"

    @property
    def where(self) -> str:
        """Write the tasks on which networks failed, and how often on each: T5 and T7 twice."""
        counts = {task: self.tasks.count(task) for task in sorted(set(self.tasks), key=by_number)}
        return listed(f"{task} {times(n)}" if n > 1 else task for task, n in counts.items())


def times(n: SupportsFloat) -> str:
    """Write how often: twice, three times, 12 times."""
    return TIMES.get(round(float(n))) or f"{in_words(n)} times"


def in_words(n: SupportsFloat, zero: str = WORDS[0]) -> str:
    """Write a small whole number in words, and a larger one in digits."""
    if math.isnan(float(n)):
        return MISSING
    whole = round(float(n))
    if not whole:
        return zero
    return WORDS[whole] if 0 < whole < len(WORDS) else f"{whole:,}"


def by_number(label: str) -> tuple[int, str]:
    """Return what sorts labels of tasks: T9 comes before T10."""
    return len(label), label


def factor(ratio: SupportsFloat) -> str:
    """Write a ratio, with a decimal where it is small: 13, 0.4."""
    ratio = float(ratio)
    return number(ratio, 0 if ratio >= 9.95 else 1)


def fewer(ratio: SupportsFloat, noun: str) -> str:
    """Write how many things there are, compared with `ratio` times as many: 13 times fewer weights than."""
    ratio = float(ratio)
    if math.isnan(ratio):
        return f"{MISSING} times fewer {noun} than"
    if factor(ratio) == factor(1):
        return f"about as many {noun} as"
    return f"{factor(ratio)} times fewer {noun} than" if ratio > 1 else f"{factor(1 / ratio)} times as many {noun} as"


def more(share: SupportsFloat, noun: str) -> str:
    """Write by how many percent there are more things, or fewer: 18 % more weights than."""
    share = float(share)
    if number(share, 0) == number(0, 0):
        return f"as many {noun} as"
    return f"{number(abs(share), 0)} % {'fewer' if share < 0 else 'more'} {noun} than"


def power(value: SupportsFloat, decimals: int = 0) -> str:
    """Write a number with a power of ten: 2 · 10⁻³."""
    if math.isnan(float(value)) or not float(value):
        return number(value, 0)
    digit, exponent = f"{float(value):.{decimals}e}".split("e")
    return f"{digit} · 10{str(int(exponent)).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def spread(values: Iterable[SupportsFloat], decimals: int = 0) -> str:
    """Write the range of some numbers: 12 to 15, or 12 where both ends look alike."""
    known = [value for value in map(float, values) if not math.isnan(value)]
    if not known:
        return MISSING
    ends = [number(of(known), decimals) for of in (min, max)]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def spread_of_tasks(labels: Sequence[str], every: Sequence[str]) -> str:
    """Write labels of tasks in order, with runs of three or more shortened: T1, T4 to T7; unknown labels come last."""
    known, every = len(every), [*every, *sorted({*labels} - {*every}, key=by_number)]
    places = sorted(every.index(label) for label in labels)
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1 and place < known:
            runs[-1].append(place)
        else:
            runs.append([place])
    words = [[f"{every[r[0]]} to {every[r[-1]]}"] if len(r) > 2 else [every[i] for i in r] for r in runs]
    return listed(word for run in words for word in run)


def effect(values: "pd.Series[float]") -> Effect:
    """Return the mean of one value per network, and its interval."""
    found: Interval = interval(values.dropna().to_numpy(float))
    return Effect(*found, n=int(values.notna().sum()))
