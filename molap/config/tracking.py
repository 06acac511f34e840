"""Settings of the tracking in MLflow. No result depends on them, and no stage reads them."""

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from molap.config.base import Section


class TrackingSettings(Section):
    """Set where runs are tracked."""

    enabled: bool = Field(True, description="Add every job's record to MLflow while the workflow runs.")
    uri: str | None = Field(
        None,
        description="An MLflow server, http://… or https://…; null for the database results/mlflow/mlflow.db. "
        "MLFLOW_TRACKING_URI in the environment takes precedence.",
    )
    experiment: str = Field(
        "molap", pattern=r"^\S(.*\S)?$", max_length=200, description="Name of the MLflow experiment."
    )
    interval_s: float = Field(15, ge=1, le=60, description="Seconds between two checks for new records.")

    @field_validator("uri")
    @classmethod
    def _is_a_server(cls, uri: str | None) -> str | None:
        return None if uri is None else server_uri(uri)


def server_uri(uri: str) -> str:
    """Check the address of a server.

    Raises:
        ValueError: if it is not an http(s) address of a host, or contains a login.
    """
    try:
        parts = urlsplit(uri)
        is_address = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # invalid brackets or an invalid port
        is_address = False
    if not is_address or uri.split() != [uri]:
        shown = "…" + uri[uri.rindex("@") :] if "@" in uri else uri  # no password on a terminal
        raise ValueError(f"{shown!r} is not allowed; give http://HOST:PORT or https://HOST of an MLflow server")
    if "@" in parts.netloc:
        raise ValueError(
            "an address with a login is not allowed; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    return uri.rstrip("/")
