"""Files: written atomically, named arrays with their provenance, and the JSON record beside every output."""

import json
import math
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

PROVENANCE = "provenance"


class FileDamaged(RuntimeError):
    """A file that exists but cannot be read as what it should be."""


def write_atomically(path: str | Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file so that it appears whole or not at all (temporary file beside it, then rename)."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        make_readable(temporary)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def make_readable(path: str | Path) -> None:
    """Give a temporary file the rights that a new file has; `mkstemp` makes it its owner's alone."""
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(path, 0o666 & ~umask)


def save_arrays(path: str | Path, provenance: dict, **arrays: np.ndarray) -> None:
    """Save arrays by name as `.npz`, with their provenance as a JSON text under `provenance`.

    The bytes depend on the arguments alone.
    """
    text = np.array(canonical_json(provenance))
    write_atomically(path, lambda file: np.savez(file, **arrays, **{PROVENANCE: text}))


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Load the arrays of an `.npz` file, without the provenance.

    Raises:
        FileDamaged: if the file is truncated or not an `.npz` file; the message says how to make it again.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if name != PROVENANCE}
    except OSError:
        raise
    except Exception as error:  # zipfile and NumPy raise a dozen kinds for damaged content
        raise FileDamaged(f"{path} is damaged ({error}); remove it and run snakemake again to make it anew") from None


def record_path(output: str) -> str:
    """The record beside an output: `x.npz` → `x.record.json`."""
    return output.rsplit(".", 1)[0] + ".record.json"


def canonical_json(values: Any) -> str:
    """One JSON text per value: keys sorted, no spaces."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_json(path: str | Path, values: Any) -> None:
    """Write JSON that a person can read: keys sorted, indented; NaN and infinities as null."""
    text = json.dumps(_plain(values), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, lambda file: file.write(text.encode() + b"\n"))


def write_table(path: str | Path, table: "pd.DataFrame") -> None:
    """Write a table as CSV, numbers to nine digits."""
    text = table.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    write_atomically(path, lambda file: file.write(text.encode()))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Clock:
    """Start and wall time since a job read its settings; CPU time and peak memory of the whole process."""

    def __init__(self) -> None:
        self.start = time.time()
        self._wall = time.perf_counter()
        self._startup = time.process_time()

    def read(self) -> dict[str, float]:
        """Times in seconds (start and end since 1970; `startup_s`, CPU time before), peak memory in MB (10⁶ bytes)."""
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
    """Versions of Python and of the packages that results depend on."""
    names = ("molap", "jax", "jaxlib", "optax", "numpy", "pandas", "scikit-learn")
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
