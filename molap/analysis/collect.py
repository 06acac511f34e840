"""Tidy tables (pandas) from the records and evaluations of a run."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from molap.storage.files import read_json, record_path
from molap.storage.paths import FITTED, block_seeds, network_path, path


def split_kind(kind: str) -> tuple[str, str]:
    """Return the strategy and source of a kind: `molap-cca` → molap, cca; `separate` → separate, -."""
    strategy, _, source = kind.partition("-")
    return strategy, source or "-"


ScoredElsewhere = Mapping[str, Mapping[str, str]]
"""Run → kind/task → the other run in which that network is scored, where it is the same."""


def owner_of(shared: ScoredElsewhere | None, run: str, kind: str, task: str) -> str:
    """Return the run in which a network of a run is scored."""
    return (shared or {}).get(run, {}).get(f"{kind}/{task}", run)


def performance(
    run: str, kinds: Iterable[str], tasks: dict[str, str], blocks: Iterable[str], shared: ScoredElsewhere | None = None
) -> pd.DataFrame:
    """Return one row per strategy, source, task and network seed, with every metric of the evaluation.

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
    """Yield (kind, stage, block, record) of every training job; the stage is `module1` … or the task's name."""
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


def curves(
    run: str, kinds: list[str], tasks: list[str], blocks: list[str], n_modules: int, every: int = 10
) -> pd.DataFrame:
    """Return the training loss and MSE by step, averaged over `every` steps, for each network."""
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


def components(correlations: dict[str, list[float]], target_r2: dict[str, list[float]]) -> pd.DataFrame:
    """Return the correlations of U and V, and the targets' variance that the first r explain, by source and r."""
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
