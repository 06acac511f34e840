"""Write the tables of the search for how networks are trained, as Markdown."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from molap.gathering.phrases import Share
from molap.gathering.sheets import NAMES, markdown
from molap.gathering.statements import SEED, Evidence
from molap.report.article.words import number, ranges, whole

READOUTS = {"n_outputs": "1/N_out", "n_units": "1/(N + 1)", "n_units_squared": "1/N²", "zero": "0"}
KINDS = {"separate": "separate", "molap-cca": "molap cca", "molap-pca": "molap pca", "molap-none": "molap none"}
KINDS |= {"dni-rule": "dni rule"}
"""Kind in the tables of the search → kind in other tables."""
USUAL = {"clip_norm": 0.1, "readout_rate": 1.0, "batch_size": 200, "batches": "fresh", "recurrent_init": "normal"}
"""Values of candidates of the main grid."""
BEST = {"readout_init": "zero", "learning_rate": 1e-2, "n_steps": 500, "recurrent_rate": 0.1}
"""The candidate that the variations vary."""
VARIATIONS: dict[str, dict[str, Any]] = {
    "clipping at 0.1": {},
    "clipping at 1": {"clip_norm": 1.0},
    "no clipping": {"clip_norm": math.nan},
    "W_rec × 0.03, clipping at 0.1": {"recurrent_rate": 0.03},
    "W_rec × 0.03, clipping at 1": {"recurrent_rate": 0.03, "clip_norm": 1.0},
    "W_rec × 0.03, no clipping": {"recurrent_rate": 0.03, "clip_norm": math.nan},
    "W_out's rate × 3": {"readout_rate": 3.0},
    "W_out's rate × 10": {"readout_rate": 10.0},
    "orthogonal W_rec": {"recurrent_init": "orthogonal"},
    "50 trials per batch": {"batch_size": 50},
    "one frozen batch": {"batches": "frozen"},
}


class Search:
    """The tables of the search.

    Args:
        evidence: the committed tables.
    """

    best = BEST
    usual = USUAL

    def __init__(self, evidence: Evidence):
        self.evidence = evidence

    def found(self, kind: str, name: str = "tune_table", **values: Any) -> pd.DataFrame:
        """Return the rows of candidates of a kind with these values, one for each task; NaN stands for none."""
        missing = [column for column, value in values.items() if isinstance(value, float) and math.isnan(value)]
        there = {column: value for column, value in values.items() if column not in missing}
        rows = self.evidence.rows(name, "once", kind=kind, **there)
        return rows[rows[missing].isna().all(axis=1)]

    def cell(self, kind: str, **values: Any) -> str:
        """Write how many networks of a candidate failed, and its mean accuracy; nothing if it was not tried."""
        rows = self.found(kind, **values)
        return f"{rows.failed.sum()}, {number(rows.accuracy.mean())}" if len(rows) else ""

    def networks(self, kind: str = "separate") -> int:
        """Return how many networks each candidate of a kind trained, over all tasks."""
        return int(self.evidence.rows("tune_choice", "once", kind=kind).networks.max())

    def chosen(self, kind: str, name: str = "tune_choice") -> pd.Series:
        """Return the candidate that ranks first."""
        rows = self.evidence.rows(name, "once", kind=kind)
        return rows.sort_values("rank").iloc[0]

    def grid(self) -> str:
        """Write failures and mean accuracy of every candidate of the main grid."""
        rates = (1.0, 0.3, 0.1, 0.03)
        columns = (
            [("separate", rate) for rate in rates] + [("molap-cca", rate) for rate in rates] + [("molap-none", 1.0)]
        )
        rows = []
        for readout, said in READOUTS.items():
            for rate in (3e-3, 1e-2):
                same: dict[str, Any] = {"readout_init": readout, "learning_rate": rate, "n_steps": 500} | USUAL
                cells = [self.cell(kind, recurrent_rate=factor, **same) for kind, factor in columns]
                rows.append((said, f"{rate:g}", *cells))
        head = [f"{NAMES[KINDS[kind]]}, × {factor:g}" for kind, factor in columns[:-1]]
        return markdown(("readout", "rate", *head, NAMES["molap none"]), rows)

    def variations(self) -> str:
        """Write failures and mean accuracy of candidates that differ from the best one."""
        kinds = ("separate", "molap-cca", "molap-pca", "molap-none")
        rows = []
        for name, changed in VARIATIONS.items():
            values = USUAL | BEST | changed
            own = [values | ({"recurrent_rate": 1.0} if kind == "molap-none" else {}) for kind in kinds]
            skip = "recurrent_rate" in changed
            cells = ["" if skip and k == "molap-none" else self.cell(k, **v) for k, v in zip(kinds, own, strict=True)]
            rows.append((name, *cells))
        return markdown(("", *(NAMES[KINDS[kind]] for kind in kinds)), rows)

    def in_turn(self, name: str) -> str:
        """Write what every candidate for DNI reaches: failures at the end and right after, mean and lowest accuracy.

        Args:
            name: the table, over six tasks or over all nine.
        """
        rows = []
        for candidate, of in self.evidence.rows(name, "once", kind="dni-rule").groupby("candidate", sort=False):
            first = of[of.label == "T1"] if "label" in of else of[of.task == "delay_pro"]
            rows.append(
                (
                    candidate,
                    f"{of.networks.iloc[0]} × {len(of)}",
                    of.failed.sum(),
                    whole(of.failed_right_after.sum()),
                    number(of.accuracy.mean()),
                    number(of.lowest_accuracy.min()),
                    number(first.lowest_accuracy.iloc[0]) if len(first) else "–",
                )
            )
        head = ("candidate", "networks × tasks", "failed at the end", "right after", "mean accuracy (%)", "lowest")
        return markdown((*head, "lowest on T1"), rows)

    def checked(self) -> str:
        """Write what the choices reach on networks that the search did not see, T5 to T9 or all tasks."""
        table = self.evidence.table("tune_check", "once")
        rows = []
        for (kind, candidate, in_turn), of in table.groupby(["kind", "candidate", "in_turn"], sort=False):
            lost = of[of.failed]
            rows.append(
                (
                    NAMES[KINDS[str(kind)]],
                    candidate,
                    in_turn if in_turn > 1 else "",
                    f"{of[SEED].nunique()} × {of.task.nunique()}",
                    len(lost),
                    number(of.accuracy.mean()),
                    number(of.accuracy.min()),
                )
            )
        return markdown(("kind", "choice", "in turn", "networks × tasks", "failed", "mean (%)", "lowest (%)"), rows)

    def by_network(self, candidate: str) -> str:
        """Write accuracy on every task after all of them, by network seed, of a candidate for DNI."""
        rows = self._over_all(candidate)
        labels = {self.evidence.task(label): label for label in self.evidence.labels}
        by = rows.pivot_table(index=SEED, columns="task", values="accuracy")
        cells = [(seed, *(number(row.get(task, math.nan)) for task in labels)) for seed, row in by.iterrows()]
        return markdown(("network seed", *labels.values()), cells)

    def kept(self, candidate: str) -> Mapping[str, object]:
        """Return failures over all tasks learned in turn by a candidate, and the lowest accuracy on the first task."""
        rows = self._over_all(candidate)
        first = rows[rows.task == self.evidence.task(self.evidence.labels[0])] if self.evidence.labels else rows
        lost = rows[rows.failed]
        return {
            "lost": Share(len(lost), len(rows), tuple(lost.task)),
            "networks": int(rows[SEED].nunique()),
            "seeds": ranges([int(seed) for seed in rows[SEED].unique()]),
            "lowest": float(first.accuracy.min()),
        }

    def _over_all(self, candidate: str) -> pd.DataFrame:
        rows = self.evidence.rows("tune_check", "once", kind="dni-rule", candidate=candidate)
        return rows[rows.in_turn == rows.in_turn.max()]

    def tasks(self, name: str = "tune_table") -> int:
        """Return on how many tasks candidates were tried."""
        return int(self.evidence.table(name, "once").task.nunique())

    def steps(self, kind: str) -> list[int]:
        """Return the numbers of steps that were tried for a kind."""
        return sorted(int(n) for n in self.evidence.rows("tune_table", "once", kind=kind).n_steps.unique())
