"""Compute the numbers that pages about the reference results state, and choose the words that fit them.

The templates in docs/templates call the methods of `Evidence`. A table that is missing gives empty results, which are
false in a condition, so that a template can leave the sentence out.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molap.analysis.failures import failed
from molap.gathering import seeds
from molap.gathering.phrases import Effect, Share, by_number, effect, spread_of_tasks

SEED = "network_seed"
FOLDERS = {
    "reference": "docs/reference/tables",
    "switches": "docs/reference/switches",
    "released": "docs/released/tables",
    "new": "docs/reference_new/tables",
    "once": "docs/tables",
}
"""Gives the folders of the tables: the reference, its attribution, the preset `released`, the networks of the next
reference that are computed so far, and single measurements."""


def of_one_more(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the range that holds 95 % of further single networks, if networks are normally distributed.

    The range is mean ± half-width · √(networks + 1).
    """
    half = (effects.high - effects["mean"]) * np.sqrt(effects.n_seeds + 1)
    return pd.DataFrame({"lowest": effects["mean"] - half, "highest": effects["mean"] + half})


class Evidence:
    """The committed tables of a repository, and what follows from them.

    Args:
        root: the repository.
        replaced: tables that take the place of committed ones, by (folder, name) with the folders of `FOLDERS`; None
            stands for a table that is missing.
    """

    def __init__(self, root: Path, replaced: Mapping[tuple[str, str], pd.DataFrame | None] | None = None):
        self.root = root
        self._tables: dict[tuple[str, str], pd.DataFrame | None] = {}
        for key, table in (replaced or {}).items():
            self._tables[key] = None if table is None else _with_kinds(table)

    def but(self, replaced: Mapping[tuple[str, str], pd.DataFrame | None]) -> "Evidence":
        """Return the same evidence with other tables in place of some, by (folder, name)."""
        found = Evidence(self.root, replaced)
        found._tables = self._tables | found._tables
        return found

    def table(self, name: str, folder: str = "reference") -> pd.DataFrame:
        """Return a table with the kind of network in one column; empty, without columns, if it is missing."""
        key = folder, name
        if key not in self._tables:
            found = seeds.read(self.root / FOLDERS[folder], name)
            self._tables[key] = None if found is None else _with_kinds(found)
        table = self._tables[key]
        return pd.DataFrame() if table is None else table

    def rows(self, name: str, folder: str = "reference", **values: Any) -> pd.DataFrame:
        """Return the rows of a table that have these values; a list stands for any of its values."""
        table = self.table(name, folder)
        kept = np.ones(len(table), bool)
        for column, value in values.items():
            if value is None:
                continue
            if column not in table:
                return pd.DataFrame()
            is_list = isinstance(value, list | tuple)
            kept &= (table[column].isin(value) if is_list else table[column] == value).to_numpy(bool)
        return table[kept]

    def has(self, name: str, folder: str = "reference") -> bool:
        """Return whether a table is there and has rows."""
        return not self.table(name, folder).empty

    @cached_property
    def made_with(self) -> dict:
        """Return the settings that all gathered runs share."""
        return json.loads((self.root / "docs/reference/made_with.json").read_text(encoding="utf-8"))["configuration"]

    @cached_property
    def labels(self) -> list[str]:
        """Return the labels of the tasks, in the order in which networks learn them in turn."""
        table, names = self.table("performance"), self.made_with.get("tasks", {}).get("names", [])
        places = {task: (place, (0, "")) for place, task in enumerate(names)}
        of = dict(zip(table.label, table.task, strict=True)) if len(table) else {}
        return sorted(of, key=lambda label: places.get(of[label], (len(names), by_number(label))))

    def task(self, label: str) -> str:
        """Return the name of the task with a label, or nothing for an unknown label."""
        rows = self.rows("performance", label=label)
        return str(rows.task.iloc[0]) if len(rows) else ""

    def name_tasks(self, labels: Iterable[str]) -> str:
        """Write labels of tasks in order, with runs shortened."""
        return spread_of_tasks(list(labels), self.labels)

    def seeds_of(
        self, kind: str | None = None, name: str = "performance", folder: str = "reference", **more: Any
    ) -> list[int]:
        """Return the network seeds of some rows of a table."""
        rows = self.rows(name, folder, kind=kind, **more)
        return sorted(int(seed) for seed in rows[SEED].unique()) if len(rows) else []

    def networks(self, kind: str, folder: str = "reference") -> int:
        """Return how many networks of a kind there are."""
        return len(self.seeds_of(kind, folder=folder))

    def place(self, kind: str, name: str) -> str:
        """Return the folder with the rows of a kind of network: `reference`, or else `once`."""
        return "reference" if self.seeds_of(kind, name) else "once"

    def values(
        self,
        kind: str,
        column: str = "accuracy",
        name: str = "performance",
        folder: str = "reference",
        **values: Any,
    ) -> "pd.Series[float]":
        """Return the mean of a column over the rows of each network seed of a kind."""
        rows = self.rows(name, folder, kind=kind, **values)
        return rows.groupby(SEED)[column].mean() if column in rows else pd.Series(dtype=float)

    def mean(self, kind: str, column: str = "accuracy", **more: Any) -> Effect:
        """Return the mean over networks, and its interval."""
        return effect(self.values(kind, column, **more))

    def difference(self, kind: str, other: str, column: str = "accuracy", **more: Any) -> Effect:
        """Return one kind less another, paired by network seed."""
        return effect(self._pairs(kind, other, column, **more).diff(axis=1).iloc[:, -1])

    def levels(self, kind: str, other: str, column: str = "accuracy", **more: Any) -> list[float]:
        """Return the means of one kind and of another, over the network seeds that both have."""
        pairs = self._pairs(kind, other, column, **more)
        return [float(pairs[name].mean()) for name in ("kind", "other")]

    def _pairs(self, kind: str, other: str, column: str, **more: Any) -> pd.DataFrame:
        of = {"other": self.values(other, column, **more), "kind": self.values(kind, column, **more)}
        return pd.DataFrame(of).dropna()

    def failures(self, kind: str, folder: str = "reference", **more: Any) -> Share:
        """Return how many networks of a kind stayed below the best constant output, counted by task."""
        rows = self.rows("performance", folder, kind=kind, **more)
        if rows.empty:
            return Share()
        lost = rows[failed(rows)]
        return Share(len(lost), len(rows), tuple(lost.label))

    def tasks_without_failures(self, kinds: Sequence[str]) -> list[str]:
        """Return the labels of the tasks at which no network of these kinds failed."""
        rows = self.rows("performance", kind=list(kinds))
        lost = set(rows[failed(rows)].label) if len(rows) else set()
        return [label for label in self.labels if label not in lost]

    def constant(self, labels: Sequence[str] | None = None) -> "pd.Series[float]":
        """Return what the best constant output scores, by task."""
        rows = self.rows("performance", label=labels and list(labels))
        return rows.groupby("label").best_constant.mean() if len(rows) else pd.Series(dtype=float)

    def perturbations(self, folder: str = "reference") -> list[str]:
        """Return the names of the perturbations whose areas were computed, in the order of figures."""
        found = self.table("areas", folder)
        order = ("module1", "module2", "inter_module", "whole", "noise", "silence")
        return [name for name in order if len(found) and name in set(found.perturbation)]

    def area(
        self,
        kind: str,
        other: str,
        perturbation: str,
        labels: Sequence[str] | None = None,
        column: str = "area",
        folder: str = "reference",
    ) -> Effect:
        """Return one kind's area under a curve less another's, mean over tasks, paired by network seed."""
        tasks = [self.task(label) for label in (labels or self.labels)]
        return self.difference(kind, other, column, name="areas", folder=folder, perturbation=perturbation, task=tasks)

    def left_out(self, column: str, n: int, source: str = "cca", **more: Any) -> Effect:
        """Return a column of the table of generalisation for the first of n tasks left out, mean over tasks."""
        rows = self.rows("generalisation", source=source, n_left_out=n, place=1, **more)
        return effect(rows.groupby(SEED)[column].mean()) if len(rows) else Effect()

    def matched(self, task: str, kind: str = "molap cca") -> dict[int, dict[str, Effect]]:
        """Return, by number of weights lesioned, inter-module less each module's lesions of as many weights."""
        rows = self.rows("robustness", kind=kind, task=task)
        rows = rows[rows.n_hit > 0] if len(rows) else rows
        found: dict[int, dict[str, Effect]] = {}
        for n, of in rows.groupby("n_hit") if len(rows) else ():
            by = of.pivot_table(index=SEED, columns="perturbation", values="accuracy")
            if "inter_module" in by:
                less = {name: effect(by.inter_module - by[name]) for name in ("module1", "module2") if name in by}
                found[int(n)] = {name: of for name, of in less.items() if of}
        return {n: of for n, of in found.items() if of}

    def explained(self, source: str, n: int, folder: str = "reference") -> float:
        """Return how much variance of the targets the first n components explain, in percent."""
        rows = self.rows("components", folder, source=source, component=n)
        return 100 * float(rows.target_r2.iloc[0]) if len(rows) else math.nan

    def weights(self, version: str, strategy: str, column: str, folder: str = "reference") -> float:
        """Return a count of Table 1."""
        rows = self.rows("table1", folder, version=version, strategy=strategy)
        return float(rows[column].iloc[0]) if len(rows) else math.nan

    def plateau(self, protocol: str, step: int, column: str, label: str = "T5") -> float:
        """Return what `snakemake diagnose` measured for a task after some steps, mean over networks."""
        rows = self.rows("plateau", "once", protocol=protocol, step=step, label=label)
        return float(rows[column].mean()) if len(rows) else math.nan

    def measured(self, what: str) -> list[float]:
        """Return numbers that were measured once, and have no other table."""
        rows = self.rows("measured", "once", what=what)
        return [float(value) for value in rows.value] if len(rows) else []

    def values_by_task(self, kind: str, folder: str = "reference", **more: Any) -> list[float]:
        """Return accuracy on every task in the order of `labels`, mean over networks; empty if a task is missing."""
        rows = self.rows("performance", folder, kind=kind, **more)
        by = rows.groupby("label").accuracy.mean() if len(rows) else pd.Series(dtype=float)
        return [float(by[label]) for label in self.labels] if {*self.labels} <= {*by.index} else []

    def step_of(self, section: str, share: float) -> int:
        """Return the last checkpoint of learning within a share of a phase's steps."""
        rows, most = self.table("learning"), share * self.made_with.get(section, {}).get("n_steps", 0)
        return int(rows.step[rows.step <= most].max()) if len(rows) and (rows.step <= most).any() else 0


def _with_kinds(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a column for the kind of network, which is its strategy and source."""
    if "kind" in table or not {"strategy", "source"} & {*table}:
        return table
    strategy = table.get("strategy", pd.Series("molap", table.index)).astype(str)
    source = table.get("source", pd.Series("", table.index)).astype(str)
    return table.assign(kind=(strategy + " " + source).str.removesuffix(" -").str.strip())
