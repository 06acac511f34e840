"""Files: atomic writes, arrays by name with their provenance, JSON, and tables."""

import hashlib
import io
import json
import math
import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

PROVENANCE, CHECKSUM = "provenance", "checksum"


class FileDamaged(RuntimeError):
    """Raised when a file exists but is not what its job wrote; the message says how to make it again."""

    def __init__(self, path: str | Path, reason: object, *others: str | Path) -> None:
        repair = shlex.join(["rm", *map(str, (path, *others))])
        super().__init__(f"{path} is damaged ({reason}); to have it made again: {repair}, then snakemake as before")


def write_atomically(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that it appears whole or not at all (temporary file beside it, then rename).

    Raises:
        OSError: if the file cannot be written, for example on a full disk; the error names the file.
    """
    path = Path(path)
    try:
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
    except OSError as error:
        error.filename = str(path)
        raise


def make_readable(path: str | Path) -> None:
    """Give a temporary file the permissions of a new file; `mkstemp` restricts it to its owner."""
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(path, 0o666 & ~umask)


def save_arrays(path: str | Path, provenance: dict, **arrays: np.ndarray) -> None:
    """Save arrays by name as `.npz`, with their provenance as a JSON text under `provenance`.

    The bytes depend only on the arguments.
    """
    text = np.array(canonical_json(provenance))
    named = arrays | {PROVENANCE: text}
    write_atomically(path, lambda file: np.savez(file, **named))  # type: ignore[arg-type]  # none is `allow_pickle`


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
    except Exception as error:  # zipfile and NumPy raise a dozen kinds of errors for damaged content
        raise FileDamaged(path, error) from None


def record_path(output: str) -> str:
    """Return the path of the record beside an output: `x.npz` → `x.record.json`."""
    return output.rsplit(".", 1)[0] + ".record.json"


def canonical_json(values: Any) -> str:
    """Return a JSON text that is unique for each value: keys sorted, no spaces."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_json(path: str | Path, values: Any) -> None:
    """Write JSON for people to read: keys sorted, indented, NaN and infinities as null."""
    text = json.dumps(plain(values), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(path, lambda file: file.write(text.encode() + b"\n"))


def read_json(path: str | Path) -> Any:
    """Read a JSON file: a record, or an output with a record beside it.

    Raises:
        FileDamaged: if it is not JSON, or not what its job wrote.
    """
    try:
        content = json.loads(_read_output(path))
    except ValueError as error:
        raise FileDamaged(path, error) from None
    if isinstance(content, dict) and CHECKSUM in content:
        expected = content.pop(CHECKSUM)
        if checksum(canonical_json(content).encode()) != expected:
            raise FileDamaged(path, "its checksum differs")
    return content


def read_table(path: str | Path, **options: Any) -> "pd.DataFrame":
    """Read a table; `options` are those of `pandas.read_csv`.

    Raises:
        FileDamaged: if it is not a table, or not what its job wrote. A truncated table is still a table; the
            checksum in its record tells them apart.
    """
    import pandas as pd

    content = _read_output(path)
    try:
        return pd.read_csv(io.BytesIO(content), **options)
    except ValueError as error:  # pandas raises it for a file that is not a table
        raise FileDamaged(path, error) from None


def checksum(content: bytes) -> str:
    """Return the SHA-256 in hex digits."""
    return hashlib.sha256(content).hexdigest()


def _read_output(path: str | Path) -> bytes:
    """Return the bytes of an output.

    Raises:
        FileDamaged: if the record beside it has another checksum for it, or is damaged itself.
    """
    content = Path(path).read_bytes()
    record = Path(record_path(str(path)))
    if not record.is_file():
        return content
    try:
        expected = read_json(record).get("checksums", {}).get(Path(path).name)
    except (FileDamaged, AttributeError):  # AttributeError: JSON, and no record
        raise FileDamaged(record, "its checksum differs", path) from None
    if expected and checksum(content) != expected:
        raise FileDamaged(path, "its checksum differs from the one in its record")
    return content


def write_table(path: str | Path, table: "pd.DataFrame") -> None:
    """Write a table as CSV, with numbers to nine digits."""
    text = table.to_csv(index=False, float_format="%.9g", lineterminator="\n")
    write_atomically(path, lambda file: file.write(text.encode()))


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: lists for arrays and tuples, null for NaN and infinities."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
