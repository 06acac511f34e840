"""The only module that imports MLflow: runs in a store, either the embedded database or a server."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

# Set these before importing MLflow, which reads some of them only then. Do not wait for an unreachable server: by
# default one call is retried for four minutes, or for twenty if it hangs.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, InputTag, Metric, Param, Run, ViewType
from mlflow.exceptions import MlflowException

from molap.tracking.describe import TrackedRun
from molap.tracking.views import Group, view_tags
from molap.tracking.where import Place, why_unusable

N_METRICS_PER_CALL, N_PARAMS_PER_CALL = 1000, 100
"""Largest numbers of metrics and parameters that MLflow accepts in one batch."""


DELETED = "experiment {!r} was deleted in MLflow; restore it or change tracking.experiment"


class StoreError(RuntimeError):
    """Raised when a store cannot be used; the message says why in one line."""


class Store:
    """An experiment in a store of runs."""

    def __init__(self, where: Place, results_id: str) -> None:
        """Open the experiment; create or upgrade the database if it is ours.

        Args:
            where: the store.
            results_id: identity of the results folder; runs of other folders are never touched.

        Raises:
            StoreError: if the experiment was deleted.
        """
        if where.database:
            _prepare(where.database)
        self._results_id = results_id
        self.client = MlflowClient(where.uri)
        self.experiment, self._new = self._open(where)
        self._brought_in: set[str] = set()

    @property
    def identity(self) -> list:
        """Return what distinguishes this experiment from one that a new database would give the same number."""
        return [self.experiment.experiment_id, self.experiment.creation_time]

    def bring_in(self, job: str, digest: str, runs: list[TrackedRun]) -> None:
        """Make a job's runs its only active ones, keeping those that are already complete.

        If this is killed at any point and called again, the result is the same: a run without its end was
        interrupted and is created again; a former version or a duplicate is deleted (in MLflow's sense: it can be
        restored).
        """
        found = [] if self._new and job not in self._brought_in else self._find(job)
        self._brought_in.add(job)
        complete = {run.data.tags["job_key"]: run.info.run_id for run in found if _is_complete(run, digest)}
        keep = {complete.get(run.key) or self._create(job, digest, run) for run in runs}
        for other in self._find(job):
            if other.info.run_id not in keep:
                self.client.delete_run(other.info.run_id)

    def set_views(self, groups: set[Group]) -> None:
        """Create or update the saved views, with the given groups folded."""
        for name, value in view_tags(groups, self.experiment.tags).items():
            if self.experiment.tags.get(name) != value:
                self.client.set_experiment_tag(self.experiment.experiment_id, name, value)
                self.experiment.tags[name] = value

    def jobs(self) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
        """Return the jobs of the results folder whose runs are active, and those with deleted ones, each with the
        keys of these runs."""
        active, deleted = (self._keys(view) for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY))
        return active, deleted

    def _keys(self, view: int) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        token: str | None = None
        while True:
            condition, ids = f"tags.results = '{self._results_id}'", [self.experiment.experiment_id]
            page = self.client.search_runs(ids, condition, view, 1000, page_token=token)
            for run in page:
                found.setdefault(run.data.tags["job"], set()).add(run.data.tags["job_key"])
            if not (token := page.token):
                return found

    def delete_all(self) -> None:
        """Delete all runs of the results folder (they can be restored)."""
        while found := self._search(f"tags.results = '{self._results_id}'"):
            for run in found:
                self.client.delete_run(run.info.run_id)

    def _open(self, where: Place) -> tuple[Experiment, bool]:
        """Return the experiment, and whether it is new."""
        found = self.client.get_experiment_by_name(where.experiment)
        new = found is None
        if found is None:
            root = (where.database.parent / "artifacts").as_uri() if where.database else None
            try:
                found = self.client.get_experiment(self.client.create_experiment(where.experiment, root))
            except MlflowException:  # the importer of another folder may have been faster
                found, new = self.client.get_experiment_by_name(where.experiment), False
                if found is None:
                    raise
        if found.lifecycle_stage != "active":
            raise StoreError(DELETED.format(where.experiment))
        return found, new

    def _find(self, job: str) -> list[Run]:
        return self._search(f"tags.job = '{job}' and tags.results = '{self._results_id}'")

    def _search(self, condition: str) -> list[Run]:
        return list(self.client.search_runs([self.experiment.experiment_id], condition, ViewType.ACTIVE_ONLY, 1000))

    def _create(self, job: str, digest: str, run: TrackedRun) -> str:
        tags = run.tags | {"job": job, "job_key": run.key, "job_digest": digest, "results": self._results_id}
        tags = {name: value[:5000] for name, value in tags.items() if value}
        made = self.client.create_run(self.experiment.experiment_id, run.start, tags, run.name)
        run_id = made.info.run_id
        metrics = [Metric(name, value, run.end, 0) for name, value in run.metrics.items()]
        for name, points in run.curves.items():
            metrics += [Metric(name, value, at, step) for step, value, at in points]
        params = [Param(name, value) for name, value in run.params.items()]
        for i in range(0, max(len(metrics), 1), N_METRICS_PER_CALL):
            self.client.log_batch(run_id, metrics[i : i + N_METRICS_PER_CALL])
        for i in range(0, len(params), N_PARAMS_PER_CALL):
            self.client.log_batch(run_id, params=params[i : i + N_PARAMS_PER_CALL])
        if run.dataset:
            dataset = DatasetInput(Dataset(**run.dataset), [InputTag("mlflow.data.context", "testing")])
            self.client.log_inputs(run_id, [dataset])
        with tempfile.TemporaryDirectory() as folder:
            for file in run.artifacts:
                shutil.copy(file, folder)
            for name, text in run.texts.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            self.client.log_artifacts(run_id, folder)
        # Setting the end commits the run: without it, the run counts as interrupted.
        self.client.set_terminated(run_id, run.status, run.end)
        return run_id


def client_of(where: Place) -> MlflowClient:
    """Return a client of an existing store.

    Raises:
        LookupError: if our own database does not exist yet, or the store cannot be used.
    """
    if where.database and not where.database.exists():
        raise LookupError(f"there is no {where.database}; run the workflow, or `molap sync`")
    if reason := why_unusable(where):
        raise LookupError(reason)
    return MlflowClient(where.uri)


@contextmanager
def refusing_in_one_line(where: Place) -> Iterator[None]:
    """Turn what MLflow and its database raise into a LookupError of one line.

    Raises:
        LookupError: with the store, and what may help.
    """
    try:
        yield
    except Exception as error:  # of MLflow, of its database or of its transport
        text = " ".join(str(getattr(error, "message", None) or error).split())
        if "out-of-date database schema" in text:
            text = "its schema differs from the installed MLflow's; `molap sync` brings it up to date"
        raise LookupError(f"{where.uri} cannot be queried: {text[:300]}") from None


def search(where: Place, condition: str, order: str, n: int | None) -> pd.DataFrame:
    """Return the active runs that MLflow finds, as its pandas table.

    Raises:
        LookupError: if there is no such store or experiment, or a name in the condition is refused.
    """
    client = client_of(where)
    with refusing_in_one_line(where):
        found = client.get_experiment_by_name(where.experiment)
    if found is None:
        raise LookupError(f"there is no experiment {where.experiment!r} at {where.uri}")
    if found.lifecycle_stage != "active":
        raise LookupError(DELETED.format(where.experiment))
    former = mlflow.get_tracking_uri(), os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(where.uri)  # sets the environment as well
    try:
        return mlflow.search_runs(
            experiment_names=[where.experiment],
            filter_string=condition,
            max_results=n or 100_000,
            order_by=[order],
        )
    except MlflowException as error:
        raise LookupError(f"the search was refused: {' '.join(str(error.message).split())[:300]}") from None
    finally:
        mlflow.set_tracking_uri(former[0])
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        if former[1]:
            os.environ["MLFLOW_TRACKING_URI"] = former[1]


def _is_complete(run: Run, digest: str) -> bool:
    return run.info.status != "RUNNING" and run.data.tags.get("job_digest") == digest


def _prepare(database: Path) -> None:
    """Create the database in one step, or upgrade an older one to MLflow's present schema.

    A new database is made in a temporary folder and moved into place when complete, so that nothing ever sees half a
    schema. It uses a write-ahead log, so that the UI can read while the importer writes.
    """
    if not database.exists():
        database.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=database.parent, prefix=".new") as folder:
            new = Path(folder, database.name)
            _upgrade(new)
            os.replace(new, database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma journal_mode=wal")
    try:
        MlflowClient(f"sqlite:///{database}").search_experiments(max_results=1)
    except MlflowException as error:
        if "out-of-date database schema" not in str(error):
            raise
        _upgrade(database)


def _upgrade(database: Path) -> None:
    from mlflow.db import commands

    commands.main(["upgrade", f"sqlite:///{database}"], standalone_mode=False)
