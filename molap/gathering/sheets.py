"""Write the tables of the pages about the reference results, as Markdown."""

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from molap.gathering.statements import SEED, Evidence
from molap.report.article.words import count, number, whole

NAMES = {
    "molap cca": "MoLaP, CCA",
    "molap pca": "MoLaP, PCA",
    "molap none": "random reservoir",
    "separate": "separate networks",
    "dni rule": "DNI, rule input",
    "dni norule": "DNI, no rule input",
    "sequential rule": "in sequence, unprotected",
    "joint rule": "all jointly",
}
"""Kind of network → its name in tables."""
PERTURBATIONS = {
    "module1": "module 1",
    "module2": "module 2",
    "inter_module": "between modules",
    "whole": "all weights",
    "noise": "noise",
    "silence": "units",
}


def markdown(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Write a table in Markdown."""
    lines = ["| " + " | ".join(map(str, head)) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(line.replace("|  |", "| |").replace("|  |", "| |") for line in lines)


class Sheets:
    """Tables of the pages.

    Args:
        evidence: the committed tables.
    """

    def __init__(self, evidence: Evidence):
        self.evidence = evidence

    def kinds(self, name: str = "performance", folder: str = "reference") -> list[str]:
        """Return the kinds of network in a table, in the order of `NAMES`."""
        table = self.evidence.table(name, folder)
        return [kind for kind in NAMES if len(table) and kind in set(table.kind)]

    def places(self, name: str) -> dict[str, str]:
        """Return the kinds in a table of the reference or, if it lacks them, of single measurements, by folder."""
        there = {*self.kinds(name)} | {*self.kinds(name, "once")}
        return {kind: self.evidence.place(kind, name) for kind in NAMES if kind in there}

    def single(self, name: str) -> list[str]:
        """Write which kinds in a table come from single measurements, and with how many networks each."""
        kinds = [kind for kind, place in self.places(name).items() if place == "once"]
        return [
            f"{NAMES[kind]} ({count(len(self.evidence.seeds_of(kind, name, 'once')), 'network')})" for kind in kinds
        ]

    def failures(self) -> str:
        """Write how many networks of each kind end below the best constant output, by task."""
        ev = self.evidence
        rows = []
        for kind in self.kinds():
            lost = ev.failures(kind)
            tried = set(ev.rows("performance", kind=kind).label)
            counts = [(lost.tasks.count(label) or "·") if label in tried else "" for label in ev.labels]
            rows.append((NAMES[kind], ev.networks(kind), *counts, f"{lost.failed} of {lost.n}"))
        constant = ev.constant()
        rows.append(("best constant output, %", "", *(whole(constant[label]) for label in ev.labels), ""))
        return markdown(("", "networks", *ev.labels, "all"), rows)

    def compared(self, others: Mapping[str, str], folder: str = "reference") -> dict[str, str]:
        """Return the kinds whose areas under the curves can be compared with MoLaP's, of some."""
        there = self.kinds("areas", folder)
        return {kind: said for kind, said in others.items() if {kind, "molap cca"} <= {*there}}

    def areas(self, others: Mapping[str, str], folder: str = "reference") -> str:
        """Write MoLaP's area under every curve less another kind's, mean over tasks, with intervals.

        Args:
            others: kind of network → how its column is headed.
            folder: of the tables, one of `FOLDERS`.
        """
        ev = self.evidence
        rows = [
            (PERTURBATIONS[name], *(ev.area("molap cca", other, name, folder=folder).bare or "–" for other in others))
            for name in ev.perturbations(folder)
        ]
        return markdown(("perturbation", *others.values()), rows)

    def table1(self) -> str:
        """Write Table 1 worked out, with what the paper prints in brackets."""
        ev = self.evidence
        names = {"separate": "separate networks", "dni": "DNI", "molap": "MoLaP", "none": "random reservoir"}
        columns = ("overall", "trained", "trained_per_task")
        rows = []
        for strategy, name in names.items():
            cells = []
            for column in columns:
                counted, printed = (ev.weights(version, strategy, column) for version in ("corrected", "printed"))
                cells.append(whole(counted) + ("" if math.isnan(printed) else f" ({whole(printed)})"))
            rows.append((name, *cells))
        return markdown(("", "weights in all", "trained", "trained per task"), rows)

    def accuracy(self, column: str, constant: bool = True) -> str:
        """Write accuracy by task and kind: the mean over networks and, in brackets, the lowest network."""
        ev = self.evidence
        kinds, best = self.kinds(), ev.constant()
        rows = []
        for label in ev.labels:
            cells = [_mean_and_lowest(ev.values(kind, column, label=label)) for kind in kinds]
            rows.append((label, *cells, *([number(best[label])] if constant else [])))
        means = [_mean_and_lowest(ev.values(kind, column)) for kind in kinds]
        rows.append(("mean", *means, *([number(best.mean())] if constant else [])))
        head = ("task", *(NAMES[kind] for kind in kinds), *(["best constant"] if constant else []))
        return markdown(head, rows)

    def perturbed(self, column: str) -> str:
        """Write the area under every curve, mean over tasks and networks, by perturbation and kind."""
        ev, kinds = self.evidence, self.kinds("areas")
        tasks = [ev.task(label) for label in ev.labels]
        rows = []
        for name in ev.perturbations():
            cells = [ev.mean(kind, column, name="areas", perturbation=name, task=tasks) for kind in kinds]
            rows.append((PERTURBATIONS[name], *(number(cell.mean) for cell in cells)))
        return markdown(("perturbation", *(NAMES[kind] for kind in kinds)), rows)

    def strengths(self) -> list[int]:
        """Return at how many strengths networks were perturbed; several numbers if perturbations differ in that."""
        rows = self.evidence.table("robustness")
        rows = rows[rows.strength > 0] if len(rows) else rows
        return sorted({int(n) for n in rows.groupby("perturbation").strength.nunique()}) if len(rows) else []

    def rounding(self, files: Mapping[str, str]) -> str:
        """Write the accuracy of one network seed in several runs that differ in rounding only.

        Args:
            files: table → folder of each run, in order.
        """
        ev = self.evidence
        runs = []
        for name, folder in files.items():
            table = ev.table(name, folder)
            runs.append(table[table[SEED] == 0] if len(table) else table)
        kinds = ["molap cca", "molap pca", "molap none", "separate"]
        rows = []
        for label in [*ev.labels, "mean"]:
            cells = []
            for kind in kinds:
                found = [of[(of.kind == kind) & ((of.label == label) | (label == "mean"))].accuracy for of in runs]
                cells.append(" → ".join(number(values.mean()) for values in found))
            rows.append((label, *cells))
        return markdown(("task", *(NAMES[kind] for kind in kinds)), rows)

    def most_moved(self, files: Mapping[str, str]) -> float:
        """Return by how many points, at most, one network's accuracy on a task differs between such runs."""
        tables = [self.evidence.table(name, folder) for name, folder in files.items()]
        if any(table.empty for table in tables):
            return math.nan
        keys = ["kind", "label"]
        columns = [of[of[SEED] == 0].set_index(keys).accuracy for of in tables]
        both = pd.concat(columns, axis=1).dropna()
        return float((both.max(axis=1) - both.min(axis=1)).max())

    def continual(self, kind: str = "dni rule") -> str:
        """Write accuracy on every task after each task that was learned in turn, mean over networks."""
        ev = self.evidence
        table = ev.rows("continual", kind=kind, order=0)
        label = {ev.task(each): each for each in ev.labels}
        by = table[table.place > 0].pivot_table(index=["place", "after"], columns="task", values="accuracy")
        rows = [
            (label.get(after, after), *(number(row.get(task, math.nan)) for task in label))
            for (_, after), row in by.iterrows()
        ]
        return markdown(("after", *ev.labels), rows)

    def forgetting(self) -> str:
        """Write averages, forgetting and transfer of networks that learn tasks in turn."""
        ev = self.evidence
        kinds = self.places("forgetting")
        shown = {
            "average": "average at the end",
            "right_after": "average right after learning",
            "forgetting": "forgetting",
            "backward_transfer": "backward transfer",
            "forward_transfer": "forward transfer",
        }
        rows: list[tuple[object, ...]] = [
            ("networks", *(len(ev.seeds_of(kind, "forgetting", place)) for kind, place in kinds.items()))
        ]
        for column, name in shown.items():
            values = [ev.values(k, f"accuracy_{column}", "forgetting", place).mean() for k, place in kinds.items()]
            rows.append((name, *map(number, values)))
        return markdown(("", *(NAMES[kind] for kind in kinds)), rows)

    def counts(self) -> str:
        """Write all versions of Table 1."""
        names = {"none": "random reservoir"}
        rows = [
            (
                row.version,
                names.get(row.strategy, row.strategy),
                *map(whole, (row.overall, row.trained, row.trained_per_task)),
                number(row.separate_per_trained),
            )
            for row in self.evidence.table("table1").itertuples()
        ]
        return markdown(
            ("version", "strategy", "weights in all", "trained", "trained per task", "separate ÷ trained"), rows
        )

    def components(self, most: int = 4) -> str:
        """Write correlations and explained variance of the first components."""
        table = self.evidence.table("components")
        rows = [
            (row.source, row.component, number(row.correlation, 4), f"{number(100 * row.target_r2)} %")
            for row in table[table.component <= most].itertuples()
        ]
        return markdown(("source", "r", "correlation of U_r and V_r", "target variance explained by U_1 … U_r"), rows)


def _mean_and_lowest(values: "pd.Series[float]") -> str:
    return f"{number(values.mean())} ({whole(values.min())})" if len(values) else "–"
