"""Write numbers, lists and captions for the article."""

import math
import re
from collections.abc import Iterable, Sequence
from typing import SupportsFloat

import pandas as pd

from molap.claims.verdicts import Interval, interval

MARKS = re.compile(r"(\*\*.+?\*\*|``.+?``|(?<![\w*])\*[^\s*][^*]*\*)", re.DOTALL)
"""Words that reStructuredText marks in captions as strong, code or emphasised."""
UNBROKEN = 14
"""Number of characters without a space after which a long name may be broken."""
BREAK = "\u200b"
"""A zero-width space, at which a line may end."""
MINUS = "−"


def number(value: SupportsFloat, decimals: int = 1) -> str:
    """Write a number with a true minus sign and separated thousands, and a missing number as a dash."""
    value = float(value)
    if math.isnan(value):
        return "–"
    text = f"{value:,.{decimals}f}"
    return text.replace("-", MINUS) if float(text.replace(",", "")) else text.lstrip("-")


def whole(value: SupportsFloat) -> str:
    """Write a whole number."""
    return number(value, 0)


def setting(value: object) -> str:
    """Write the value of a setting as in a configuration file: `null` often means all, and an empty list none."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {setting(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(setting(item) for item in value) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "null"}[value]
    return f"{value:g}".replace("e-0", "e-") if isinstance(value, float) else str(value)


def with_interval(found: Interval, decimals: int = 1) -> str:
    """Write a mean with its interval; for one network there is no interval."""
    mean = number(found.mean, decimals)
    if pd.isna(found.low):
        return mean
    return f"{mean} ({number(found.low, decimals)} to {number(found.high, decimals)})"


def with_half_width(found: Interval, decimals: int = 1) -> str:
    """Write a mean ± half of its interval, for tables."""
    mean = number(found.mean, decimals)
    return mean if pd.isna(found.low) else f"{mean} ± {number(found.high - found.mean, decimals)}"


def over_networks(table: pd.DataFrame, column: str) -> Interval:
    """Return the mean of a column and its interval; rows of the same network seed are averaged first."""
    return interval(table.groupby("network_seed")[column].mean().dropna().to_numpy())


def count(n: int, noun: str, plural: str = "") -> str:
    """Write a number of things: 1 task, 9 tasks."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(items: Iterable[object], last: str = "and") -> str:
    """Write a list: a, b and c."""
    words = [str(item) for item in items]
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def ranges(numbers: Sequence[int]) -> str:
    """Write whole numbers, with runs of three or more shortened: 1, 4 to 7."""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return listed(text for run in runs for text in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run)))


def breakable(text: object) -> str:
    """Let a line break inside a long name or path, after a sign or after some letters."""
    found = re.sub(r"(?<=[_/+])(?=\w)|(?<=\.)(?=[a-z])", BREAK, str(text))
    return re.sub(rf"([^\s{BREAK}]{{{UNBROKEN}}})(?=[^\s{BREAK}])", rf"\1{BREAK}", found)


def runs_of(text: str) -> list[dict[str, str]]:
    """Split a reStructuredText caption into runs of text with a style, so that nothing in it is evaluated."""
    found = []
    for part in MARKS.split(" ".join(text.split())):
        for mark, style in (("**", "strong"), ("``", "code"), ("*", "emph")):
            if len(part) > 2 * len(mark) and part.startswith(mark) and part.endswith(mark):
                found.append({"style": style, "text": part[len(mark) : -len(mark)]})
                break
        else:
            found += [{"style": "", "text": part}] if part else []
    return found


def table_of(head: Sequence[str], rows: Iterable[Sequence[object]], left: int = 1, wide: Sequence[int] = ()) -> dict:
    """Return a table for the layout.

    Args:
        head: names of the columns.
        rows: cells, as text.
        left: the number of columns, from the first, that are aligned left; the others hold numbers.
        wide: columns that take the width that the others leave.
    """
    return {
        "head": [breakable(name) for name in head],
        "rows": [[breakable(cell) for cell in row] for row in rows],
        "align": ["left" if i < left else "right" for i in range(len(head))],
        "wide": [i in wide for i in range(len(head))],
    }
