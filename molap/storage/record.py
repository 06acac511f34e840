"""The record beside every output: its checksum, and the time, memory, versions and machine of the job that made it."""

import os
import platform
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

from molap.storage.files import CHECKSUM, canonical_json, checksum, plain, write_json


def write_record(path: str | Path, record: dict) -> None:
    """Write a record, with a checksum of itself and checksums by name of the outputs beside it."""
    content = plain(record)
    content["checksums"] = {
        Path(output).name: checksum(Path(output).read_bytes()) for output in record["outputs"].values()
    }
    write_json(path, content | {CHECKSUM: checksum(canonical_json(content).encode())})


class Clock:
    """Measures the wall time since a job read its settings, and the CPU time and peak memory of the whole process."""

    def __init__(self) -> None:
        self.start = time.time()
        self._wall = time.perf_counter()
        self._startup = time.process_time()

    def read(self) -> dict[str, float]:
        """Return times in seconds and peak memory in MB (10⁶ bytes).

        Start and end are in seconds since 1970; `startup_s` is the CPU time before the settings were read.
        """
        return {
            "start": self.start,
            "end": time.time(),
            "wall_s": time.perf_counter() - self._wall,
            "cpu_s": time.process_time(),
            "startup_s": self._startup,
            "peak_memory_mb": _peak_memory() / 1e6,
        }


def _peak_memory() -> int:
    """Return the peak memory in bytes.

    On Linux it is read from /proc: there `getrusage` gives at least the peak of the parent process.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages on which results depend."""
    names = ("molap", "jax", "jaxlib", "optax", "numpy", "pandas", "scikit-learn")
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def machine() -> dict[str, str | int]:
    """Return the machine on which the job runs: operating system, processor, number of cores."""
    return {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count() or 0}


def _processor() -> str:
    """Return the model of the processor.

    On Linux it is read from /proc: there `platform.processor` gives the architecture, or nothing.
    """
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return next(line.partition(": ")[2] for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
