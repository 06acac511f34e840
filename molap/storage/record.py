"""The record beside every output: a checksum of it, and the time, memory, versions and machine of the job behind it."""

import os
import platform
import resource
import sys
import time
from importlib import metadata
from pathlib import Path

from molap.storage.files import CHECKSUM, canonical_json, checksum, plain, write_json


def write_record(path: str | Path, record: dict) -> None:
    """Write a record, with a checksum of itself and, by name, of the outputs that it is beside."""
    content = plain(record)
    content["checksums"] = {
        Path(output).name: checksum(Path(output).read_bytes()) for output in record["outputs"].values()
    }
    write_json(path, content | {CHECKSUM: checksum(canonical_json(content).encode())})


class Clock:
    """Start and wall time since a job read its settings; CPU time and peak memory of the whole process."""

    def __init__(self) -> None:
        self.start = time.time()
        self._wall = time.perf_counter()
        self._startup = time.process_time()

    def read(self) -> dict[str, float]:
        """Return times in seconds (start and end since 1970; `startup_s`, CPU time before), peak memory in MB (10⁶
        bytes)."""
        return {
            "start": self.start,
            "end": time.time(),
            "wall_s": time.perf_counter() - self._wall,
            "cpu_s": time.process_time(),
            "startup_s": self._startup,
            "peak_memory_mb": _peak_memory() / 1e6,
        }


def _peak_memory() -> int:
    """In bytes. On Linux from /proc: what `getrusage` gives there is not below the peak of the parent process."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def versions() -> dict[str, str]:
    """Return versions of Python and of the packages that results depend on."""
    names = ("molap", "jax", "jaxlib", "optax", "numpy", "pandas", "scikit-learn")
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def machine() -> dict[str, str | int]:
    """Return the machine that a job runs on: operating system, processor, number of cores."""
    return {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count() or 0}


def _processor() -> str:
    """Its model. On Linux from /proc: `platform.processor` gives the architecture there, or nothing."""
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
