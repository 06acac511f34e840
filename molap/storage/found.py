"""The records of a results folder, found by their names."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

RECORD, ATTEMPT = ".record.json", ".attempt.json"


class Found(NamedTuple):
    """A record on disk: its job, and what tells one version of the file from another."""

    job: str
    file: Path
    stamp: tuple[int, int]

    def read(self) -> bytes:
        """Return the contents; raises `OSError` where the file has just been taken away."""
        return self.file.read_bytes()


def find_records(results: Path) -> Iterator[Found]:
    """Yield all records, and the attempts of jobs that ended without one."""
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
    """Say whether the job of an attempt is alive: it holds a lock on the file for as long as it lives."""
    try:
        with open(attempt, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False
