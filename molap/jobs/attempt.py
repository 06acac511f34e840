"""The trace of a job that has not ended successfully: `x.attempt.json`, beside where `x.record.json` will be."""

import contextlib
import fcntl
import glob
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from molap.storage.files import make_readable, record_path, write_json

N_LOG_CHARACTERS = 8000


class Attempt:
    """The trace of a job, written when it starts and removed when it succeeds.

    If Snakemake is killed, a job may outlive it and still work on the same output; a new job waits for it. Files that
    killed jobs left half-written are removed.

    The job holds a lock on the file for as long as it lives. A file that nobody locks and that names no error belongs
    to a job that was killed.
    """

    def __init__(self, output: str, stage: str, settings: str, code: str | None, log: str | None) -> None:
        self._path = Path(record_path(output).replace(".record.json", ".attempt.json"))
        self._log = log
        self._content: dict[str, object] = {"stage": stage, "settings": _parsed(settings)}
        self._content |= {"outputs": {"output": output}, "code": code}
        self._content |= {"log": log, "start": time.time()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _clear(output, self._path)
        temporary = None
        try:
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            self._file = os.fdopen(handle, "w", encoding="utf-8")
            json.dump(self._content, self._file)
            self._file.flush()
            with contextlib.suppress(OSError):  # without file locks, the job is shown as failed until it ends
                fcntl.flock(self._file, fcntl.LOCK_EX)
            make_readable(temporary)
            os.replace(temporary, self._path)
        except OSError as error:
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            error.filename = str(self._path)
            raise

    def succeeded(self) -> None:
        """Remove the trace, which the record replaces."""
        self._path.unlink(missing_ok=True)

    def failed(self, error: str, about: dict) -> None:
        """Write the error and the end of the log to the trace."""
        text = ""
        if self._log and Path(self._log).is_file():
            text = Path(self._log).read_text(encoding="utf-8", errors="replace")[-N_LOG_CHARACTERS:]
        try:
            write_json(self._path, self._content | about | {"error": error, "end": time.time(), "log_end": text})
        except OSError:  # on a full disk: a trace without the error would look like that of a killed job
            self._path.unlink(missing_ok=True)


def _clear(output: str, attempt: Path) -> None:
    """Wait until no other process works on an output, and remove files that killed ones left half-written."""
    # If the file system has no locks, both jobs write: each file as a whole, with the same bytes.
    with contextlib.suppress(OSError), open(attempt, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"molap: another process is still at work on {output}; waiting for its end", file=sys.stderr)
            fcntl.flock(file, fcntl.LOCK_SH)
        folder, stem = Path(output).parent, glob.escape(Path(output).stem)
        panels = [f".{stem}_*"] if output.endswith(".png") else []  # tables of a figure's panels
        for pattern in (f".{stem}.*", *panels):
            for temporary in folder.glob(pattern):
                temporary.unlink(missing_ok=True)


def _parsed(settings: str) -> dict:
    try:
        values = json.loads(settings)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}
