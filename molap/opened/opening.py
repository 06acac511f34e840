"""Open a run's folder: find its settings, and say in one line what is wrong with it."""

import json
import os
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

from molap.config.base import ConfigError, check
from molap.config.run import RunConfig
from molap.opened.run import Run
from molap.planning.tables import wanted_tables
from molap.storage.files import FileDamaged, read_json, record_path
from molap.storage.paths import RESULTS


def open_run(folder: str | os.PathLike) -> Run:
    """Open the folder of a run, such as `results/paper`.

    A run that is not finished opens with a one-line warning that says what is missing. A run that another version of
    MoLaP made also opens with a warning, if this version can read its settings.

    Raises:
        ConfigError: in one line, if the folder contains no run, or one that this version cannot read.
    """
    if not isinstance(folder, str | os.PathLike):
        raise ConfigError(f"folder: {folder!r} is not allowed; give a run's folder, {RESULTS}/NAME")
    folder = Path(folder)
    file = folder / "configuration.json"
    if not file.is_file():
        among = sorted(other.parent.name for other in folder.glob("*/configuration.json"))
        hint = f"; the runs in it: {', '.join(among)}" if among else f"; a run's folder is {RESULTS}/NAME"
        raise ConfigError(f"{folder} holds no configuration.json{hint}")
    values, made_with = read_json(file), _versions(file)
    known, ours = made_with.get("molap", "an unknown version"), metadata.version("molap")
    try:
        config = check(RunConfig, _found_again(values, folder.resolve().parent.parent))
    except ConfigError as error:
        first = str(error).splitlines()[0]
        raise ConfigError(
            f"{folder} was made by molap {known}; molap {ours} does not read its settings: {first}"
        ) from None
    found = Run(folder, config)
    if known != ours:
        warnings.warn(f"{folder} was made by molap {known}; this is molap {ours}", stacklevel=2)
    if found.missing:
        n = len(wanted_tables(config))
        warnings.warn(
            f"{folder} is not finished: {len(found.missing)} of {n} tables are missing ({', '.join(found.missing)})",
            stacklevel=2,
        )
    return found


def _versions(file: Path) -> dict[str, str]:
    try:
        return read_json(record_path(str(file)))["versions"]
    except (OSError, KeyError, FileDamaged):
        return {}


def _found_again(values: dict[str, Any], workplace: Path) -> dict[str, Any]:
    """Return settings in which the user's files are found from any folder: they are relative to the workflow's."""
    values = json.loads(json.dumps(values))

    def locate(name: str) -> str:
        beside = workplace / name
        return str(beside) if not Path(name).is_file() and beside.is_file() else name

    if modules := values.get("tasks", {}).get("modules"):
        values["tasks"]["modules"] = [
            locate(name) if name.lower().endswith((".py", ".npz")) else name for name in modules
        ]
    if files := values.get("reservoirs", {}).get("files"):
        values["reservoirs"]["files"] = {name: locate(file) for name, file in files.items()}
    return values
