"""The records of a results folder that the store already knows, and the importer's lock."""

import fcntl
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from molap.storage.files import write_atomically, write_json
from molap.storage.found import Found

FOLDER = ".tracking"
"""Folder below the results with the folder's identity, and the importer's lock, log and list of known records."""


class Busy(RuntimeError):
    """Raised when another importer is working on this folder."""


def digest(content: bytes) -> str:
    """Return the text that identifies one version of a record in the store."""
    return hashlib.sha256(content).hexdigest()[:24]


def identity(results: Path) -> str:
    """Return the folder's own name in the store, so that one server can track several folders."""
    file = results / FOLDER / "id"
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        text = uuid.uuid4().hex[:12]
        write_atomically(file, lambda out: out.write(text.encode() + b"\n"))
        return text


@contextmanager
def importer_lock(results: Path) -> Iterator[None]:
    """Hold the importer's lock.

    Raises:
        Busy: if another importer holds it.
    """
    (results / FOLDER).mkdir(parents=True, exist_ok=True)
    with open(results / FOLDER / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(f"another importer (process {file.read().strip()}) is at work on {results}/") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class Known:
    """Notes on which version of each record is in which store; the store is still asked about all other records."""

    def __init__(self, results: Path) -> None:
        self._file = results / FOLDER / "known.json"
        self.store: list = []
        self._known: dict[str, list] = {}
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            store, known = content["store"], content["known"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        if isinstance(store, list) and isinstance(known, dict):
            self.store, self._known = store, known

    def knows(self, found: Found) -> bool:
        """Return whether this version of a record is in the store, according to the notes."""
        return self._known.get(found.job) == [found.file.name, *found.stamp]

    def add(self, found: Found) -> None:
        """Note that a record is in the store."""
        self._known[found.job] = [found.file.name, *found.stamp]

    def drop(self, found: Found) -> None:
        """Note that a record is not in the store after all."""
        self._known.pop(found.job, None)

    def belongs_to(self, store: list) -> None:
        """Forget everything if the store is a different one."""
        if self.store != store:
            self.store = store
            self.forget()

    def forget(self) -> None:
        """Forget all known records."""
        self._known = {}

    def save(self) -> None:
        """Write the notes."""
        write_json(self._file, {"store": self.store, "known": self._known})
