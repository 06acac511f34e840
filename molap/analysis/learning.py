"""Make the tables of sample efficiency: accuracy during learning, against steps and against updates of weights."""

from collections.abc import Mapping

import pandas as pd

from molap.analysis.collect import split_kind
from molap.storage.files import read_json

FIRST = ["strategy", "source", "task", "label", "network_seed", "step", "updates", "updates_before"]


def learning(files: Mapping[str, str], labels: Mapping[str, str], counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per kind, task, network seed and checkpoint, with every metric on validation trials.

    Args:
        files: scores during learning, by `kind/block of seeds`.
        labels: task → T1 ….
        counts: the table of `molap.analysis.counts.counts`.

    Returns:
        The metrics with `updates`, the trained weights times the steps so far for this task only, and
        `updates_before`, the updates of pre-training, which all tasks of the kind share. Joint training has no updates
        for a single task, so its `updates` are those of all tasks.
    """
    trained = counts.set_index(["strategy", "source", "stage"]).sort_index()
    rows = []
    for name, file in files.items():
        strategy, source = split_kind(name.split("/")[0])
        own = trained.loc[strategy, source]
        before = int(own.updates[own.index.str.fullmatch(r"module\d+")].sum())
        for row in read_json(file):
            stage = "joint" if strategy == "joint" else row["task"]
            spent = {"updates": row["step"] * int(own.trained[stage]), "updates_before": before}
            rows.append({"strategy": strategy, "source": source, "label": labels[row["task"]]} | row | spent)
    table = pd.DataFrame(rows)
    return table[FIRST + [name for name in table.columns if name not in FIRST]]


def cumulative(table: pd.DataFrame, metric: str = "accuracy") -> pd.DataFrame:
    """Return, by checkpoint, the mean over tasks and the updates of all tasks so far, including pre-training.

    All tasks are taken at the same step. In a sequence, each task is taken while it is being learned.

    Returns:
        strategy, source, network_seed, step, updates, and the metric.
    """
    keys = ["strategy", "source", "network_seed", "step"]
    mean = table.groupby(keys, sort=False).agg(
        **{metric: (metric, "mean"), "all": ("updates", "sum"), "one": ("updates", "first")},
        before=("updates_before", "first"),
    )
    joint = mean.index.get_level_values("strategy") == "joint"
    mean["updates"] = mean["all"].where(~joint, mean["one"]) + mean.before
    return mean.reset_index()[[*keys, "updates", metric]]
