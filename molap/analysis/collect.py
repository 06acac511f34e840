"""Make tidy tables (pandas) of a run's records and evaluations."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from molap.storage.files import read_json
from molap.storage.paths import block_seeds


def split_kind(kind: str) -> tuple[str, str]:
    """Return the strategy and source of a kind: `molap-cca` → molap, cca; `separate` → separate, -."""
    strategy, _, source = kind.partition("-")
    return strategy, source or "-"


def performance(files: Mapping[str, str], labels: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per strategy, source, task and network seed, with every metric of the evaluation.

    Args:
        files: evaluations, by `kind/task/block of seeds`.
        labels: task → T1 ….
    """
    rows = []
    for name, file in files.items():
        kind, task, _ = name.split("/")
        strategy, source = split_kind(kind)
        for row in read_json(file):
            rows.append({"strategy": strategy, "source": source, "task": task, "label": labels[task]} | row)
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


def curves(files: Mapping[str, str], every: int = 10) -> pd.DataFrame:
    """Return each network's training loss and MSE by step, averaged over `every` steps.

    Args:
        files: records of training, by `kind/stage/block of seeds`; the stage is `module1` …, `joint` or a task.
        every: number of steps to average over.
    """
    frames = []
    for name, file in files.items():
        (kind, stage, block), record = name.split("/"), read_json(file)
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


def components(
    correlations: Mapping[str, Sequence[float] | np.ndarray], target_r2: Mapping[str, Sequence[float] | np.ndarray]
) -> pd.DataFrame:
    """Return, by source and r, the correlation of U and V and the targets' variance that the first r of U explain."""
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
