"""Choose among the candidates of the search: collect their scores and rank them by the stated rule."""

from bisect import bisect_left
from collections.abc import Callable, Iterable

import pandas as pd

from molap.config.tune import Candidate

FIELDS = list(Candidate.model_fields)
FROZEN = "molap-none"
"""The kind whose W_rec is not trained, so that one candidate covers every `recurrent_rate`."""
ALL = "all"
"""The name used in place of a kind for a candidate's results over all kinds together."""
DECIMALS = 1
"""Decimals of the accuracies (%) used in the ranking, so that noise does not decide it."""


def collect(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Collect the tables of the search.

    Args:
        tables: tables with one row per kind, candidate, task and network seed. A row that several grids share counts
            once.

    Returns:
        One row per kind, candidate and task: the number of `networks`; how many of them `failed`, with an accuracy
        below that of the best constant output; mean and lowest accuracy and mean decision accuracy (%); for networks
        that learn tasks in sequence, also accuracy and failures right after the task; and the candidate's fields.
    """
    rows = pd.concat(list(tables), ignore_index=True)
    rows = rows.drop_duplicates(["kind", "candidate", "task", "network_seed"])
    found: dict[str, tuple[str, str | Callable[[pd.Series], float]]] = {
        "networks": ("failed", "size"),
        "failed": ("failed", "sum"),
        "accuracy": ("accuracy", "mean"),
        "lowest_accuracy": ("accuracy", "min"),
        "decision_accuracy": ("decision_accuracy", "mean"),
        "best_constant": ("best_constant", "first"),
    }
    if "accuracy_right_after" in rows:
        rows = rows.astype({"failed_right_after": float})
        found["accuracy_right_after"] = ("accuracy_right_after", "mean")
        found["failed_right_after"] = ("failed_right_after", lambda values: values.sum(min_count=1))
    found |= {name: (name, "first") for name in FIELDS}
    return rows.groupby(["kind", "candidate", "task"], sort=False).agg(**found).reset_index()


def choose(table: pd.DataFrame) -> pd.DataFrame:
    """Rank the candidates of every kind, and then those that every kind has tried.

    The rule prefers the fewest failures, then the highest mean accuracy, rounded to 0.1 points, then the fewest steps.
    Candidates that tie share a rank and are listed in the order in which they were tried.

    Args:
        table: the table of `collect`.

    Returns:
        For each kind, and finally for `all`, one row per candidate, best first: `rank`, `networks`, `failed`,
        `accuracy` (averaged over tasks, and for `all` also over kinds), `lowest_accuracy`, `n_steps`.
    """
    of_kinds = (
        table.groupby(["kind", "candidate"], sort=False)
        .agg(
            networks=("networks", "sum"),
            failed=("failed", "sum"),
            accuracy=("accuracy", "mean"),
            lowest_accuracy=("lowest_accuracy", "min"),
            **{name: (name, "first") for name in FIELDS},
        )
        .reset_index()
    )
    parts = [_ranked(part) for _, part in of_kinds.groupby("kind", sort=False)]
    columns = ["kind", "candidate", "rank", "networks", "failed", "accuracy", "lowest_accuracy", "n_steps"]
    return pd.concat([*parts, _ranked(_together(of_kinds))], ignore_index=True)[columns]


def _together(of_kinds: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each candidate that every kind has tried."""
    frozen, others = of_kinds[of_kinds.kind == FROZEN], of_kinds[of_kinds.kind != FROZEN]
    if len(others) and len(frozen):
        shared = [name for name in FIELDS if name != "recurrent_rate"]
        tried = others.drop_duplicates("candidate")[["candidate", *FIELDS]]
        frozen = frozen.drop(columns=["candidate", "recurrent_rate"]).merge(tried, on=shared)
    groups = pd.concat([others, frozen], ignore_index=True).groupby("candidate", sort=False)
    found = groups.agg(
        kinds=("kind", "nunique"),
        networks=("networks", "sum"),
        failed=("failed", "sum"),
        accuracy=("accuracy", "mean"),
        lowest_accuracy=("lowest_accuracy", "min"),
        n_steps=("n_steps", "first"),
    )
    return found[found.kinds == of_kinds.kind.nunique()].reset_index().assign(kind=ALL)


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort one group of candidates by the rule and rank them."""
    keys = list(zip(rows.failed, -rows.accuracy.round(DECIMALS), rows.n_steps, strict=True))
    in_order = sorted(keys)
    return rows.assign(rank=[1 + bisect_left(in_order, key) for key in keys]).sort_values("rank", kind="stable")
