"""The trace of a job that has not ended well: `x.attempt.json`, beside where `x.record.json` will be."""

import contextlib
import fcntl
import json
import os
import tempfile
import time
from pathlib import Path

from molap.records import make_readable, record_path, write_json

N_LOG_CHARACTERS = 8000


class Attempt:
    """Written when a job starts and removed when it succeeds.

    The job holds a lock on the file for as long as it lives. A file that nobody locks and that names no error tells
    of a job that was killed.
    """

    def __init__(self, output: str, stage: str, settings: str, code: str | None, log: str | None) -> None:
        self._path = Path(record_path(output).replace(".record.json", ".attempt.json"))
        self._log = log
        self._content = {"stage": stage, "settings": _parsed(settings), "outputs": {"output": output}, "code": code}
        self._content |= {"log": log, "start": time.time()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        self._file = os.fdopen(handle, "w", encoding="utf-8")
        json.dump(self._content, self._file)
        self._file.flush()
        with contextlib.suppress(OSError):  # a file system without locks: the job is shown as failed until it ends
            fcntl.flock(self._file, fcntl.LOCK_EX)
        make_readable(temporary)
        os.replace(temporary, self._path)

    def succeeded(self) -> None:
        """Leave no trace: the record is there."""
        self._path.unlink(missing_ok=True)

    def failed(self, error: str, about: dict) -> None:
        """Note the error and the end of the log."""
        text = ""
        if self._log and Path(self._log).is_file():
            text = Path(self._log).read_text(encoding="utf-8", errors="replace")[-N_LOG_CHARACTERS:]
        write_json(self._path, self._content | about | {"error": error, "end": time.time(), "log_end": text})


def _parsed(settings: str) -> dict:
    try:
        values = json.loads(settings)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
