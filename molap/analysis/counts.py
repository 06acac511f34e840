"""Count the weights of networks, and how many of them training changes, from arrays (Table 1) and by formulas."""

from collections.abc import Mapping, Sequence

import pandas as pd

from molap.analysis.collect import split_kind
from molap.storage.files import read_json
from molap.storage.paths import FITTED

TABLE1_PRINTED = {
    "separate": (9.18e5, 9.18e5, 1.02e5),
    "dni": (1.02e5, 9.18e5, 1.02e5),
    "molap": (1.2e5, 5.2e3, 2e2),
}
"""Table 1 as printed in the paper: overall count, number trained, number trained per task."""


def counts(files: Mapping[str, str]) -> pd.DataFrame:
    """Count weights per training stage in the arrays: `trained`, `updates` (`trained` times steps), and all `weights`.

    Args:
        files: records of training, by `kind/stage/block of seeds`; the stage is `module1` …, `joint` or a task.
    """
    rows = []
    for name, file in files.items():
        kind, stage, _ = name.split("/")
        strategy, source = split_kind(kind)
        metrics = read_json(file)["metrics"]
        arrays = {
            name: metrics["n_weights_of"].get(name, 0) for name in ("w_in", "w_rec", "w_out", "b_rec", "b_out", "h0")
        }
        rows.append(
            {
                "strategy": strategy,
                "source": source,
                "stage": stage,
                "trained": metrics["n_trained"],
                "updates": metrics["n_updates"],
                "weights": metrics["n_weights"],
            }
            | arrays
        )
    return pd.DataFrame(rows)


def table1(counted: pd.DataFrame, n_units: int = 100, n_tasks: int = 9, n_modules: int = 2) -> pd.DataFrame:
    """Return Table 1 in three versions: as printed, with corrected arithmetic, and as counted in our networks.

    The correction follows the paper's own premise (N units, one input, one output, no biases), which gives N² + 2N
    weights per network. MoLaP has N² shared weights, 2N per task, and 2N for pre-training. It trains the modules'
    blocks, 2N for pre-training, and 2N per task, which the printed number leaves out. The paper does not count the
    random reservoir (`none`), which has neither pre-training nor the weights for it.
    """
    network, head = n_units**2 + 2 * n_units, 2 * n_units
    pretraining = n_modules * (n_units // n_modules) ** 2 + head
    corrected = {
        "separate": (n_tasks * network, n_tasks * network, network),
        "dni": (network, n_tasks * network, network),
        "molap": (n_units**2 + n_tasks * head + head, pretraining + n_tasks * head, head),
        "none": (n_units**2 + n_tasks * head, n_tasks * head, head),
    }
    rows = [_table1_row("printed", strategy, *values) for strategy, values in TABLE1_PRINTED.items()]
    rows += [_table1_row("corrected", strategy, *values) for strategy, values in corrected.items()]
    rows += [_table1_row("counted", strategy, *values) for strategy, values in _counted(counted).items()]
    dni = counted[counted.strategy == "dni"]
    if len(dni):
        rows += [_table1_row(f"counted, N = {n}", "dni", *_dni_at(dni, n)) for n in (n_units, 2 * n_units)]
    table = pd.DataFrame(rows)
    separate = table[table.strategy == "separate"].set_index("version").trained
    table["separate_per_trained"] = table.version.str.partition(",")[0].map(separate) / table.trained
    return table


def _table1_row(version: str, strategy: str, overall, trained, per_task) -> dict:
    return {
        "version": version,
        "strategy": strategy,
        "overall": float(overall),
        "trained": float(trained),
        "trained_per_task": float(per_task),
    }


def _counted(counted: pd.DataFrame) -> dict[str, tuple]:
    """Return, by strategy, the overall, trained and trained-per-task (mean over tasks) counts in trained networks."""
    found = {}
    separate = counted[counted.strategy == "separate"]
    if len(separate):
        found["separate"] = (separate.weights.sum(), separate.trained.sum(), separate.trained.mean())
    dni = counted[counted.strategy == "dni"]
    if len(dni):
        found["dni"] = _dni_at(dni, round(dni.w_rec.iloc[0] ** 0.5))
    molap = counted[counted.strategy == "molap"]
    fitted = [source for source in molap.source.unique() if source in FITTED]
    for strategy, source in [("molap", source) for source in fitted[:1]] + [("none", "none")]:
        rows = molap[molap.source == source]
        if len(rows):
            found[strategy] = _of_heads(rows)
    return found


def _of_heads(rows: pd.DataFrame) -> tuple:
    """Count a recurrent network with the heads of its tasks and the pre-training, if any, of its modules."""
    modules = rows.stage.str.fullmatch(r"module\d+")
    heads, pretraining = rows[~modules], rows[modules]
    own = ["w_in", "w_out", "b_out", "h0"]
    shared = heads.iloc[0][["w_rec", "b_rec"]].sum()
    overall = shared + heads[own].to_numpy().sum() + pretraining[own].head(1).to_numpy().sum()
    return overall, rows.trained.sum(), heads.trained.mean()


def _dni_at(rows: pd.DataFrame, n_units: int) -> tuple:
    """Return the overall, trained and per-task counts of the first DNI network, at N units: N² + N per channel."""
    rows = rows[rows.source == rows.source.iloc[0]]
    counted_at = round(rows.w_rec.iloc[0] ** 0.5)

    def scaled(weights):
        return n_units**2 + (weights - counted_at**2) / counted_at * n_units

    return scaled(rows.weights.max()), scaled(rows.trained).sum(), scaled(rows.trained).mean()


def scaling(
    channels: Sequence[tuple[str, Sequence[str], Sequence[str]]],
    sizes: Sequence[int],
    n_modules: int,
    steps: dict[str, int],
    biases: bool = False,
) -> pd.DataFrame:
    """Compute weights, trained weights and updates from formulas, for the first 1, 2, … tasks at every size.

    Args:
        channels: for each task, its name and the names of its inputs and outputs.
        sizes: numbers of units N, the same for every strategy.
        n_modules: number of modules of MoLaP.
        steps: number of steps of `pretraining` (per module), `heads`, `separate` and `dni` (per task).
        biases: whether networks have biases and an initial state.

    Returns:
        strategy (`none`: MoLaP without pre-training), n_tasks, n_units, weights (total), trained (counted once per task
        or module), trained_per_task (without pre-training) and updates.
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
    # There is one rule input per task, which acts as a bias on that task.
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
