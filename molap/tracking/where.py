"""Where runs are tracked: the database of the results folder, or a server. Nothing of MLflow is needed here."""

import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from molap.config.base import ConfigError
from molap.config.tracking import TrackingSettings, server_uri

VIEW = "networks"


class Place(NamedTuple):
    """A store of runs: `uri` as MLflow takes it, `database` where it is a file of ours."""

    uri: str
    experiment: str
    database: Path | None


def place(settings: TrackingSettings, results: Path) -> Place:
    """The store that the environment or the configuration names, else the folder's own database.

    Raises:
        ConfigError: if `MLFLOW_TRACKING_URI` is no server's address.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or settings.uri
    if uri:
        try:
            return Place(server_uri(uri), settings.experiment, None)
        except ValueError as error:
            raise ConfigError(f"MLFLOW_TRACKING_URI: {error}; or unset it") from None
    database = (results / "mlflow" / "mlflow.db").resolve()
    return Place(f"sqlite:///{database}", settings.experiment, database)


def why_unreachable(where: Place, timeout_s: float = 5) -> str | None:
    """Ask a server for its health: the reason why it cannot be used, or None."""
    if where.database:
        return None
    try:
        with urllib.request.urlopen(f"{where.uri}/health", timeout=timeout_s):
            return None
    except urllib.error.HTTPError as error:
        hint = "; its --allowed-hosts may lack this address" if error.code == 403 else ""
        return f"{where.uri} answers {error.code} {error.reason}{hint}"
    except (OSError, ValueError) as error:
        return f"{where.uri} does not answer ({getattr(error, 'reason', error)})"


def link(base: str, experiment_id: str, view: str = VIEW, mode: str = "TABLE") -> str:
    """The address of a saved view in the UI at `base`."""
    page = f"{base.rstrip('/')}/#/experiments/{experiment_id}/runs"
    return f"{page}?viewStateShareKey={view}&workflowType=machine_learning&compareRunsMode={mode}"
