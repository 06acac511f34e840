"""Tidy tables (pandas) from the records and evaluations of a run."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from molap.storage.files import read_json, record_path
from molap.storage.paths import FITTED, block_seeds, network_path, path

TABLE1_PRINTED = {
    "separate": (9.18e5, 9.18e5, 1.02e5),
    "dni": (1.02e5, 9.18e5, 1.02e5),
    "molap": (1.2e5, 5.2e3, 2e2),
}
"""Table 1 as printed in the paper: overall count, number trained, number trained per task."""


def split_kind(kind: str) -> tuple[str, str]:
    """Strategy and source of a kind: `molap-cca` → molap, cca; `separate` → separate, -."""
    strategy, _, source = kind.partition("-")
    return strategy, source or "-"


Shared = Mapping[str, Mapping[str, str]]
"""Run → kind/task → the other run in which that network is scored, where it is the same."""


def owner_of(shared: Shared | None, run: str, kind: str, task: str) -> str:
    """The run in which a network of a run is scored."""
    return (shared or {}).get(run, {}).get(f"{kind}/{task}", run)


def performance(
    run: str, kinds: Iterable[str], tasks: dict[str, str], blocks: Iterable[str], shared: Shared | None = None
) -> pd.DataFrame:
    """One row per strategy, source, task and network seed, with every metric of the evaluation.

    Args:
        run: name of the run.
        kinds: kinds of networks.
        tasks: names of tasks and their labels (T1 …).
        blocks: blocks of network seeds.
        shared: evaluations that lie in other runs.
    """
    rows = []
    for kind in kinds:
        strategy, source = split_kind(kind)
        for task, label in tasks.items():
            owner = owner_of(shared, run, kind, task)
            for block in blocks:
                for row in read_json(path("evaluation", owner, block=block, kind=kind, task=task)):
                    rows.append({"strategy": strategy, "source": source, "task": task, "label": label} | row)
    table = pd.DataFrame(rows)
    first = [
        *table.columns[:4],
        "network_seed",
        "accuracy",
        "decision_accuracy",
        "all_correct",
        "best_constant",
    ]
    return table[first + sorted(set(table.columns) - set(first))]


def stage_records(
    run: str, kinds: Iterable[str], tasks: Iterable[str], blocks: Iterable[str], n_modules: int
) -> Iterator[tuple[str, str, str, dict]]:
    """(kind, stage, block, record) of every training job; the stage is `module1` … or the task's name."""
    for kind in kinds:
        strategy, source = split_kind(kind)
        modules = n_modules if source in FITTED else 0
        for block in blocks:
            if strategy == "joint":
                yield kind, "joint", block, read_json(record_path(network_path(run, block, kind, "")))
                continue
            for module in range(1, modules + 1):
                file = path("module", run, block=block, source=source, module=module)
                yield kind, f"module{module}", block, read_json(record_path(file))
            for task in tasks:
                yield kind, task, block, read_json(record_path(network_path(run, block, kind, task)))


def counts(run: str, kinds: list[str], tasks: list[str], blocks: list[str], n_modules: int) -> pd.DataFrame:
    """Weights per training stage, counted from the arrays: `trained`, `updated` (times steps), and `weights` in all."""
    rows = []
    for kind, stage, _, record in stage_records(run, kinds, tasks, blocks[:1], n_modules):
        strategy, source = split_kind(kind)
        metrics = record["metrics"]
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
    """Table 1 three times: as printed, with the arithmetic corrected, and as counted from our networks.

    The correction follows the paper's own premise (N units, one input, one output, no biases): N² + 2N weights per
    network. MoLaP in all: N² shared, 2N per task, and 2N for pre-training; trained: the modules' blocks, 2N
    for pre-training, and 2N per task, which the printed number leaves out. The random reservoir (`none`), which the
    paper does not count, has neither pre-training nor its weights.
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
    """Overall, trained, and trained per task (mean over tasks) of the networks that were really trained."""
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
    """Of one recurrent network, with the heads of its tasks and the modules' pre-training, if there was one."""
    modules = rows.stage.str.fullmatch(r"module\d+")
    heads, pretraining = rows[~modules], rows[modules]
    own = ["w_in", "w_out", "b_out", "h0"]
    shared = heads.iloc[0][["w_rec", "b_rec"]].sum()
    overall = shared + heads[own].to_numpy().sum() + pretraining[own].head(1).to_numpy().sum()
    return overall, rows.trained.sum(), heads.trained.mean()


def _dni_at(rows: pd.DataFrame, n_units: int) -> tuple:
    """Overall, trained, and trained per task of the first DNI network, at N units: N² + N for every channel."""
    rows = rows[rows.source == rows.source.iloc[0]]
    counted_at = round(rows.w_rec.iloc[0] ** 0.5)

    def scaled(weights):
        return n_units**2 + (weights - counted_at**2) / counted_at * n_units

    return scaled(rows.weights.max()), scaled(rows.trained).sum(), scaled(rows.trained).mean()


def curves(
    run: str, kinds: list[str], tasks: list[str], blocks: list[str], n_modules: int, every: int = 10
) -> pd.DataFrame:
    """Training loss and MSE by step, averaged over `every` steps, for each network."""
    frames = []
    for kind, stage, block, record in stage_records(run, kinds, tasks, blocks, n_modules):
        strategy, source = split_kind(kind)
        for i, seed in enumerate(block_seeds(block)):
            curve = pd.DataFrame({name: record["curves"][name][i] for name in ("loss", "mse")})
            thinned = curve.groupby(curve.index // every).mean()
            thinned.insert(0, "step", (thinned.index * every).astype(int))
            frames.append(
                thinned.assign(strategy=strategy, source=source, stage=stage, network_seed=seed)[
                    ["strategy", "source", "stage", "network_seed", "step", "loss", "mse"]
                ]
            )
    return pd.concat(frames, ignore_index=True)


def continual(run: str, kinds: list[str], blocks: list[str], orders: int) -> pd.DataFrame:
    """One row per kind, order, network seed, place in the sequence (0: untrained) and task tested."""
    rows = []
    for kind in kinds:
        strategy, source = split_kind(kind)
        for order in range(orders):
            for block in blocks:
                for row in read_json(path("scores", run, block=block, kind=kind, order=order)):
                    rows.append({"strategy": strategy, "source": source} | row)
    return pd.DataFrame(rows)


def forgetting(scores: pd.DataFrame, metrics: Iterable[str] = ("accuracy", "decision_accuracy")) -> pd.DataFrame:
    """Summary of each sequence, in percent points.

    With a[j, i] the accuracy on the i-th task after j tasks, T tasks, a[0, i] that of the untrained network:
    `average` = mean a[T, i]; `right_after` = mean a[i, i]; `forgetting` = mean over i < T of max over i ≤ j < T of
    a[j, i] − a[T, i] (Chaudhry et al. 2018, here from learning on); `backward_transfer` = mean over i < T of
    a[T, i] − a[i, i] and `forward_transfer` = mean over i > 1 of a[i − 1, i] − a[0, i] (Lopez-Paz and Ranzato 2017).
    """
    rows = []
    for names, group in scores.groupby(["strategy", "source", "order", "network_seed"], sort=False):
        learned = group[group.place > 0].drop_duplicates("place").sort_values("place").after.tolist()
        row = dict(zip(("strategy", "source", "order", "network_seed"), names, strict=True))
        for metric in metrics:
            a = group.pivot_table(index="place", columns="task", values=metric)[learned].to_numpy()
            n = len(learned)
            last, after = a[n], np.diag(a[1:])
            best = np.array([a[i + 1 : n, i].max() for i in range(n - 1)])
            before = np.array([a[i, i] for i in range(1, n)])
            row |= {
                f"{metric}_average": last.mean(),
                f"{metric}_right_after": after.mean(),
                f"{metric}_forgetting": (best - last[:-1]).mean() if n > 1 else 0.0,
                f"{metric}_backward_transfer": (last[:-1] - after[:-1]).mean() if n > 1 else 0.0,
                f"{metric}_forward_transfer": (before - a[0, 1:]).mean() if n > 1 else 0.0,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def components(correlations: dict[str, list[float]], target_r2: dict[str, list[float]]) -> pd.DataFrame:
    """Correlation of U and V, and the targets' variance explained by the first r components, by source and r."""
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "source": source,
                    "component": range(1, len(values) + 1),
                    "correlation": values,
                    "target_r2": target_r2[source],
                }
            )
            for source, values in correlations.items()
        ],
        ignore_index=True,
    )
