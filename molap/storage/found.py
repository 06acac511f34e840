"""Find the records in a results folder by their names."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

RECORD, ATTEMPT = ".record.json", ".attempt.json"


class Found(NamedTuple):
    """A record on disk: its job, and a stamp that distinguishes versions of the file."""

    job: str
    file: Path
    stamp: tuple[int, int]

    def read(self) -> bytes:
        """Return the contents.

        Raises:
            OSError: if the file has just been removed.
        """
        return self.file.read_bytes()


def find_records(results: Path) -> Iterator[Found]:
    """Yield all records, and the attempts of jobs that have no record."""
    for folder, folders, files in os.walk(results):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        names = set(files)
        for name in sorted(files):
            ended = name.endswith(RECORD)
            if not ended and (not name.endswith(ATTEMPT) or name.replace(ATTEMPT, RECORD) in names):
                continue
            file = Path(folder, name)
            job = file.relative_to(results).as_posix().removesuffix(RECORD if ended else ATTEMPT)
            try:
                status = file.stat()
            except OSError:
                continue
            yield Found(job, file, (status.st_mtime_ns, status.st_size))


def is_running(attempt: Path) -> bool:
    """Return whether the job of an attempt is alive: it holds a lock on the file for as long as it lives."""
    try:
        with open(attempt, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False
