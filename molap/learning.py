"""Sample efficiency: accuracy while learning, by steps and by updates of parameters; how counts grow (Table 1)."""

from collections.abc import Sequence

import pandas as pd

from molap.storage.files import read_json
from molap.storage.paths import path
from molap.tables import split_kind

FIRST = ["strategy", "source", "task", "label", "network_seed", "step", "updates", "updates_before"]


def learning(
    run: str, kinds: Sequence[str], labels: dict[str, str], blocks: Sequence[str], counts: pd.DataFrame
) -> pd.DataFrame:
    """One row per kind, task, network seed and checkpoint, with every metric on validation trials.

    Args:
        run: name of the run.
        kinds: kinds of networks.
        labels: task → T1 ….
        blocks: blocks of network seeds.
        counts: table of `molap.tables.counts`.

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
    """Mean over tasks by checkpoint, and the updates that all tasks together took until then, pre-training included.

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


def scaling(
    channels: Sequence[tuple[str, Sequence[str], Sequence[str]]],
    sizes: Sequence[int],
    n_modules: int,
    steps: dict[str, int],
    biases: bool = False,
) -> pd.DataFrame:
    """Weights, weights trained and updates for the first 1, 2, … tasks at every size, from formulas.

    Args:
        channels: per task, its name and the names of its inputs and outputs.
        sizes: numbers of units N, the same for every strategy.
        n_modules: of MoLaP.
        steps: of `pretraining` (per module), `heads`, `separate` and `dni` (per task).
        biases: whether networks have biases and an initial state.

    Returns:
        strategy (`none`: MoLaP without pre-training), n_tasks, n_units, weights (in all), trained (once per task or
        module), trained_per_task (without pre-training) and updates.
    """
    rows = []
    for n in sizes:
        for n_tasks in range(1, len(channels) + 1):
            some = [(len(inputs), len(outputs)) for _, inputs, outputs in channels[:n_tasks]]
            for strategy, values in _counts(channels[:n_tasks], some, n, n_modules, steps, biases).items():
                names = ("weights", "trained", "trained_per_task", "updates")
                place = {"strategy": strategy, "n_tasks": n_tasks, "n_units": n}
                rows.append(place | dict(zip(names, values, strict=True)))
    return pd.DataFrame(rows)


def _counts(channels, sizes, n: int, n_modules: int, steps: dict[str, int], biases: bool) -> dict[str, tuple]:
    heads = sum(n * (i + o) + biases * (o + n) for i, o in sizes)
    separate = sum(n * n + n * (i + o) + biases * (o + 2 * n) for i, o in sizes)
    module = (n // n_modules) ** 2 + 2 * n + biases * (1 + n)
    inputs = {name for _, names, _ in channels for name in names}
    outputs = {name for _, _, names in channels for name in names}
    # One rule input per task; to the task it is a bias.
    shared = n * n + n * (len(inputs) + len(channels) + len(outputs)) + biases * (len(outputs) + 2 * n)
    dni = sum(n * n + n * (i + o + 1) + biases * (o + n) for i, o in sizes)
    pretraining = n_modules * module
    reservoir = n * n + 2 * n + biases * (1 + 2 * n)
    return {
        "separate": (separate, separate, separate / len(sizes), separate * steps["separate"]),
        "dni": (shared, dni, dni / len(sizes), dni * steps["dni"]),
        "molap": (
            reservoir + heads,
            pretraining + heads,
            heads / len(sizes),
            pretraining * steps["pretraining"] + heads * steps["heads"],
        ),
        "none": (reservoir + heads, heads, heads / len(sizes), heads * steps["heads"]),
    }
