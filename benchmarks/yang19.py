"""Write the tables of docs/yang19.md from a finished run: `python benchmarks/yang19.py results/yang19`.

The numbers are shares of trials with a right answer (%), fixation apart, as means over network seeds with 95 %
intervals by Student's t. Differences are paired: same network seed, same test trials, same initial weights.
"""

import sys
from pathlib import Path

import pandas as pd

from molap.analysis.generalisation import read_generalisation
from molap.analysis.intervals import half_width
from molap.figures.style import kind_name
from molap.storage.files import read_table

WHAT = "decision_accuracy"
DOCS = Path(__file__).parents[1] / "docs" / "tables"


def with_interval(values: pd.Series) -> str:
    """Return a mean and half the width of its interval, both with one decimal."""
    return f"{values.mean():.1f} ± {half_width(values.std(), len(values)):.1f}"


def accuracies(performance: pd.DataFrame) -> pd.DataFrame:
    """Return right answers by task (rows) and kind of networks (columns), and over all tasks, with intervals."""
    performance = performance.assign(
        kind=[kind_name(*kind) for kind in zip(performance.strategy, performance.source, strict=True)]
    )
    mean = performance.groupby(["kind", "network_seed"], sort=False)[WHAT].mean().reset_index()
    rows = pd.concat([performance[["label", "kind", WHAT]], mean.assign(label="all twenty")])
    kinds, labels = (list(dict.fromkeys(rows[name])) for name in ("kind", "label"))
    return rows.pivot_table(WHAT, "label", "kind", aggfunc=with_interval).loc[labels, kinds]


def against_none(performance: pd.DataFrame) -> pd.DataFrame:
    """Return, for each kind, the differences to random reservoirs over all tasks, and the tasks with a clear one."""
    wide = performance.pivot_table(WHAT, ["network_seed", "label"], ["strategy", "source"])
    rows = []
    for kind in wide.columns.drop([("molap", "none")]):
        difference = wide[kind] - wide["molap", "none"]
        of_task = difference.groupby("label", sort=False).agg(["mean", "std", "size"])
        half = half_width(of_task["std"], of_task["size"])
        rows.append(
            {
                "kind": kind_name(*kind),
                "all twenty": with_interval(difference.groupby("network_seed").mean()),
                "tasks clearly better": ", ".join(of_task.index[of_task["mean"] - half > 0]) or "none",
                "tasks clearly worse": ", ".join(of_task.index[of_task["mean"] + half < 0]) or "none",
            }
        )
    return pd.DataFrame(rows).set_index("kind")


def left_out(generalisation: pd.DataFrame) -> pd.DataFrame:
    """Return right answers on each left-out task: modules with it, without it, and a random reservoir."""
    rows = []
    for (source, task, label), own in generalisation[generalisation.n_left_out > 0].groupby(
        ["source", "task", "label"], sort=False
    ):
        main = generalisation[(generalisation.task == task) & (generalisation.n_left_out == 0)]
        rows.append(
            {
                "task": label,
                "pre-trained by": source.upper(),
                "with the task": with_interval(main[main.source == source][WHAT]),
                "without it": with_interval(own[WHAT]),
                "random reservoir": with_interval(main[main.source == "none"][WHAT]),
            }
        )
    return pd.DataFrame(rows).set_index(["task", "pre-trained by"])


def main(results: str) -> None:
    """Print the tables as Markdown, and write them to docs/tables/."""
    tables = Path(results) / "tables"
    performance = read_table(tables / "performance.csv", keep_default_na=False)
    generalisation = read_generalisation(str(tables / "generalisation.csv"))
    for name, table in (
        ("yang19_performance", accuracies(performance)),
        ("yang19_differences", against_none(performance)),
        ("yang19_left_out", left_out(generalisation)),
    ):
        table.to_csv(DOCS / f"{name}.csv")
        cells = table.reset_index().astype(str)
        print(f"\n{name}\n")
        for row in (list(cells), ["---"] * cells.shape[1], *cells.to_numpy().tolist()):
            print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main(sys.argv[1])
