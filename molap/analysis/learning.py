"""Sample efficiency: accuracy while learning, by steps and by updates of parameters."""

from collections.abc import Sequence

import pandas as pd

from molap.analysis.collect import split_kind
from molap.storage.files import read_json
from molap.storage.paths import path

FIRST = ["strategy", "source", "task", "label", "network_seed", "step", "updates", "updates_before"]


def learning(
    run: str, kinds: Sequence[str], labels: dict[str, str], blocks: Sequence[str], counts: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per kind, task, network seed and checkpoint, with every metric on validation trials.

    Args:
        run: name of the run.
        kinds: kinds of networks.
        labels: task → T1 ….
        blocks: blocks of network seeds.
        counts: table of `molap.analysis.counts.counts`.

    Returns:
        With `updates`, the weights trained times the steps until then, of this task alone; `updates_before`, those
        of pre-training, which every task of the kind shares. Joint training has no updates of one task: `updates`
        are then those of all tasks.
    """
    trained = counts.set_index(["strategy", "source", "stage"]).sort_index()
    rows = []
    for kind in kinds:
        strategy, source = split_kind(kind)
        own = trained.loc[strategy, source]
        before = int(own.updates[own.index.str.fullmatch(r"module\d+")].sum())
        for block in blocks:
            for row in read_json(path("learned", run, block=block, kind=kind)):
                stage = "joint" if strategy == "joint" else row["task"]
                spent = {"updates": row["step"] * int(own.trained[stage]), "updates_before": before}
                found = {"strategy": strategy, "source": source, "label": labels[row["task"]]}
                rows.append(found | row | spent)
    table = pd.DataFrame(rows)
    return table[FIRST + [name for name in table.columns if name not in FIRST]]


def cumulative(table: pd.DataFrame, metric: str = "accuracy") -> pd.DataFrame:
    """Return the mean over tasks by checkpoint, and the updates that all tasks together took until then, pre-training
    included.

    All tasks are taken at the same step: in a sequence, each while it is being learned.

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
