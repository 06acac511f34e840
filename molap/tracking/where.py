"""Find where runs are tracked: in the database of the results folder, or on a server. This module needs no MLflow."""

import http.client
import json
import os
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from molap.config.base import ConfigError
from molap.config.tracking import TrackingSettings, server_uri

VIEW = "seeds"


class Place(NamedTuple):
    """A store of runs: `uri` as MLflow takes it, and `database` if it is a file of ours."""

    uri: str
    experiment: str
    database: Path | None


def place(settings: TrackingSettings, results: Path) -> Place:
    """Return the store named by the environment or the configuration, or else the folder's own database.

    Raises:
        ConfigError: if `MLFLOW_TRACKING_URI` is not the address of a server.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or settings.uri
    if uri:
        try:
            return Place(server_uri(uri), settings.experiment, None)
        except ValueError as error:
            raise ConfigError(f"MLFLOW_TRACKING_URI: {error}; or unset it") from None
    database = Path(os.path.realpath(results / "mlflow" / "mlflow.db"))  # `resolve` raises where links form a loop
    return Place(f"sqlite:///{database}", settings.experiment, database)


def why_unusable(where: Place) -> str | None:
    """Return why a store cannot be read, in one line; None if it can, or if it does not exist yet.

    Of our own database it checks what takes no time: that it is one, and that the installed MLflow knows its schema.
    """
    if not where.database:
        return why_unreachable(where)
    if "?" in str(where.database):
        return f"{where.database}: MLflow cannot open a database in a folder with '?' in its name; rename the folder"
    here = os.getcwd()  # MLflow writes it into the database, in quotes
    if "'" in here and '"' in here:
        return f"{here}: MLflow cannot write into a database from a folder with both quotes in its name; rename it"
    if not where.database.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{where.database.as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("select version_num from alembic_version").fetchall()
            connection.execute("select count(*) from experiments").fetchall()
    except sqlite3.OperationalError as error:
        if "unable to open" in str(error) or "locked" in str(error):
            return f"{where.database} cannot be opened ({error})"
        return f"{where.database} is no database of MLflow ({error}); `molap rebuild` makes it from the records"
    except sqlite3.DatabaseError as error:
        return f"{where.database} is damaged ({error}); `molap rebuild` makes it again from the records"
    package = find_spec("mlflow")
    versions = Path((package and package.origin) or "none").parent / "store" / "db_migrations" / "versions"
    for (schema,) in found:
        if versions.is_dir() and not [*versions.glob(f"{schema}*.py")]:
            return (
                f"{where.database} is of a newer MLflow than the installed one (schema {schema}); install that, or let "
                "`molap rebuild` make it again from the records"
            )
    return None


def why_unreachable(where: Place, timeout_s: float = 5) -> str | None:
    """Check the health of a server; return the reason why it cannot be used, or None."""
    if where.database:
        return None
    try:
        with urllib.request.urlopen(f"{where.uri}/health", timeout=timeout_s):
            return None
    except urllib.error.HTTPError as error:
        return f"{where.uri} answers {error.code} {error.reason}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"{where.uri} does not answer ({' '.join(str(getattr(error, 'reason', error)).split())})"


def compare_links(base: str, experiment_id: str, run_ids: list[str]) -> list[str]:
    """Return the UI's pages for comparing two runs: their differences, and the curves of both."""
    base, workflow = base.rstrip("/"), "workflowType=machine_learning"
    both = quote(json.dumps(run_ids, separators=(",", ":")))
    condition = quote(f"attributes.run_id IN ({', '.join(map(repr, run_ids))})")
    order = "orderByKey=attributes.start_time&orderByAsc=false&startTime=ALL&lifecycleFilter=Active"
    order += "&datasetsFilter=W10%3D&modelVersionFilter=All%20Runs"
    return [
        f"{base}/#/compare-runs?runs={both}&experiments={quote(json.dumps([experiment_id]))}&{workflow}",
        f"{base}/#/experiments/{experiment_id}/runs?searchFilter={condition}&{order}&compareRunsMode=CHART&{workflow}",
    ]


def link(base: str, experiment_id: str, view: str = VIEW, mode: str = "TABLE") -> str:
    """Return the address of a saved view in the UI at `base`."""
    page = f"{base.rstrip('/')}/#/experiments/{experiment_id}/runs"
    return f"{page}?viewStateShareKey={view}&workflowType=machine_learning&compareRunsMode={mode}"
