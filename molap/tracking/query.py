"""Query the store for what its UI shows, as pandas tables."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from molap.tracking.store import MlflowException, client_of, search
from molap.tracking.where import Place

COLUMNS = ("run", "stage", "kind", "task", "network_seeds")
SUMMARY = ("test/accuracy", "test/decision_accuracy", "val/accuracy", "train/final_mse", "time/cpu_s")
WAYS = {"highest": "DESC", "lowest": "ASC"}


def runs(where: Place, order: str = "start_time DESC", n: int | None = None, **tags: str) -> pd.DataFrame:
    """Return the active runs that carry all the given tags, one row each, newest first.

    Columns are MLflow's: `run_id`, `status`, `start_time`, `tags.stage`, `params.phase.n_steps`,
    `metrics.test/accuracy`, and so on.

    Raises:
        LookupError: if the experiment does not exist, or no run fits.
    """
    condition = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items() if value is not None)
    table = search(where, condition, order, n)
    if table.empty:
        asked = ", ".join(f"{name}={value}" for name, value in tags.items() if value is not None) or "no condition"
        raise LookupError(f"no run in experiment {where.experiment!r} fits ({asked})")
    return table


def latest(where: Place, n: int = 10, **tags: str) -> pd.DataFrame:
    """Return the runs that started last, newest first."""
    return brief(runs(where, n=n, **tags))


def best(
    where: Place, metric: str = "test/accuracy", n: int = 10, first: str | None = None, **tags: str
) -> pd.DataFrame:
    """Return the runs with the best values of a metric, by the direction that their records declare for it.

    Args:
        where: the store.
        metric: its name in MLflow.
        n: number of runs.
        first: `highest` or `lowest`, if not what the records declare.
        tags: those that the runs must have.

    Raises:
        LookupError: if no run has this metric, or none says which values are better and `first` does not either.
    """
    table = runs(where, order=f"metrics.`{metric}` {WAYS[first or _declared(where, metric, tags)]}", n=n, **tags)
    column = f"metrics.{metric}"
    if column not in table or table[column].isna().all():
        raise LookupError(
            f"no run holds the metric {metric!r}; there are {', '.join(metrics_of(runs(where, n=200, **tags)))}"
        )
    return brief(table.dropna(subset=[column]), metric)


def _declared(where: Place, metric: str, tags: dict[str, str]) -> str:
    """Return which values of a metric come first: the way that the newest run with this metric declares."""
    condition = " and ".join(
        [f"metrics.`{metric}` > -1e300", *(f"tags.`{name}` = '{of}'" for name, of in tags.items())]
    )
    newest = search(where, condition, "start_time DESC", 1)
    if newest.empty:
        names = ", ".join(metrics_of(runs(where, n=200, **tags)))
        raise LookupError(f"no run holds the metric {metric!r}; there are {names}")
    for way, first in (("higher", "highest"), ("lower", "lowest")):
        declared = newest.iloc[0].get(f"tags.{way}_is_better")
        if isinstance(declared, str) and metric in declared.split(","):
            return first
    raise LookupError(f"nothing says which values of {metric!r} are better; give --first highest or --first lowest")


def difference(where: Place, first: str, second: str) -> tuple[pd.DataFrame, str, list[str]]:
    """Return the differences of two runs, a row per parameter, metric or tag, and the ids of experiment and runs.

    Args:
        where: the store.
        first: a run's id, its job (`paper/evaluation/s0/separate/mem_pro`), or its key.
        second: the other run, in the same form.

    Raises:
        LookupError: if a run does not exist.
    """
    one, other = (_row(where, name) for name in (first, second))
    return _differing(one, other, first, second), one.experiment_id, [one.run_id, other.run_id]


def compare(where: Place, first: str, second: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two presets side by side: the settings that differ, and accuracy by strategy, source and task.

    Returns:
        The settings that differ, one row each; and the mean accuracy over network seeds in both (%), their difference
        (second − first), and the number of seeds of each, from their `performance.csv`.

    Raises:
        LookupError: if a preset has no such table in the store, or both are the same.
    """
    if first == second:
        raise LookupError(f"give two presets, not {first!r} twice")
    rows = [runs(where, n=1, stage="configuration", preset=preset).iloc[0] for preset in (first, second)]
    one, other = (row[[c for c in row.index if c.startswith("params.")]] for row in rows)
    settings = _differing(one, other, first, second)
    by = ["strategy", "source", "task"]
    tables = []
    for preset in (first, second):
        table = artifact_table(
            where, runs(where, n=1, stage="performance", preset=preset).run_id.iloc[0], "performance.csv"
        )
        found = table.groupby(by, sort=False).agg(accuracy=("accuracy", "mean"), n_seeds=("network_seed", "nunique"))
        tables.append(found)
    both = tables[0].join(tables[1], how="outer", suffixes=(f" {first}", f" {second}"), sort=False)
    both["difference"] = both[f"accuracy {second}"] - both[f"accuracy {first}"]
    return settings, both.reset_index()


def artifact_table(where: Place, run_id: str, name: str) -> pd.DataFrame:
    """Return a CSV artifact of a run.

    Raises:
        LookupError: if the run has no such artifact.
    """
    try:
        return pd.read_csv(Path(client_of(where).download_artifacts(run_id, name)))
    except (MlflowException, OSError) as error:
        raise LookupError(f"run {run_id} has no artifact {name}: {' '.join(str(error).split())[:200]}") from None


def brief(table: pd.DataFrame, *metrics: str) -> pd.DataFrame:
    """Return the columns that distinguish runs, their main metrics, status and id; without empty columns."""
    columns = [f"tags.{name}" for name in COLUMNS] + [f"metrics.{name}" for name in dict.fromkeys((*metrics, *SUMMARY))]
    kept = table[[name for name in (*columns, "status", "start_time", "run_id") if name in table]]
    return kept.dropna(axis="columns", how="all").rename(columns=lambda name: name.split(".", 1)[-1])


def metrics_of(table: pd.DataFrame) -> Iterable[str]:
    """Return the names of the metrics in a table of runs."""
    return sorted(name.removeprefix("metrics.") for name in table if name.startswith("metrics."))


def _row(where: Place, name: str) -> pd.Series:
    for tag in ("mlflow.runName", "job_key", "job", "run_id"):
        condition = f"attributes.run_id = '{name}'" if tag == "run_id" else f"tags.`{tag}` = '{name}'"
        table = search(where, condition, "start_time DESC", 2)
        if len(table) == 1 or (len(table) and tag == "mlflow.runName"):
            return table.iloc[0]
        if len(table) > 1:
            raise LookupError(f"{name!r} names several runs, one per network seed: {', '.join(table['tags.job_key'])}")
    raise LookupError(f"there is no run {name!r}; give a run's id, its job or its name in MLflow")


def _differing(a: pd.Series, b: pd.Series, first: str, second: str) -> pd.DataFrame:
    both = pd.DataFrame({first: a, second: b})
    kept = [
        name for name in both.index if str(name).startswith(("params.", "metrics.", "tags.")) and not _is_internal(name)
    ]
    both = both.loc[kept]
    both = both[both[first].ne(both[second]) & ~(both[first].isna() & both[second].isna())]
    return both.sort_index().rename_axis("field").reset_index()


def from_where_they_differ(table: pd.DataFrame, width: int) -> pd.DataFrame:
    """Return a table of differences in which two long values begin shortly before the place where they differ."""
    table = table.copy()
    for i, (_, *values) in enumerate(table.itertuples(index=False)):
        if all(isinstance(value, str) and len(value) > width for value in values):
            at = next((i for i, (a, b) in enumerate(zip(*values, strict=False)) if a != b), min(map(len, values)))
            if at >= width // 2:
                table.iloc[i, 1:] = [f"…{value[at - width // 4 :]}" for value in values]
    return table


def _is_internal(name: str) -> bool:
    return name.startswith("tags.mlflow.") or name.endswith("_is_better") or name in ("tags.job_digest", "tags.results")
