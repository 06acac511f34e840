"""Read a user's `.npz` file as strictly as a configuration: only the arrays that mean something, each named if bad."""

import difflib
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from molap.storage.files import PROVENANCE


def read_user_arrays(
    path: str | Path, allowed: Collection[str], meant: Mapping[str, str], reasons: Mapping[str, str] | None = None
) -> dict[str, np.ndarray]:
    """Return the arrays of a file; nothing in it is executed, since no Python objects are loaded.

    Args:
        path: a file `.npz`.
        allowed: the names of arrays that it may hold.
        meant: other names that people use → the name that is meant.
        reasons: names of arrays that are known and not allowed → why.

    Raises:
        ValueError: in one line without the file's name, if it is not such a file, holds another array or one twice, or
            if one of its arrays cannot be read.
    """
    try:
        if not Path(path).is_file():
            raise ValueError("is no file")
        with open(path, "rb") as start:
            if start.read(2) != b"PK":
                raise ValueError("is no .npz file (numpy.savez writes one)")
        file = np.load(path, allow_pickle=False)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise ValueError(_line(error)) from None
    except Exception as error:  # zipfile raises a dozen kinds of errors for damaged content
        raise ValueError(f"is damaged: {_line(error)}") from None
    with file:
        found = [name for name in file.files if name != PROVENANCE]
        _check_names(found, allowed, meant, reasons or {})
        arrays = {}
        for name in found:
            try:
                arrays[name] = file[name]
            except Exception as error:
                objects = "allow_pickle" in str(error) or "Object arrays" in str(error)
                reason = "holds Python objects; numbers are needed" if objects else f"is damaged: {_line(error)}"
                raise ValueError(f"holds an array {name} that {reason}") from None
            if not isinstance(arrays[name], np.ndarray):
                raise ValueError(f"holds {name}, which is no array of NumPy")
    return arrays


def _check_names(
    found: Collection[str], allowed: Collection[str], meant: Mapping[str, str], reasons: Mapping[str, str]
) -> None:
    for name, n in Counter(found).items():
        if n > 1:
            raise ValueError(f"holds {name} {n} times; each may stand once")
        if name in reasons:
            raise ValueError(f"holds {name}; {reasons[name]}")
        if name not in allowed:
            close = meant.get(name.lower()) or next(iter(difflib.get_close_matches(name, allowed, n=1)), "")
            hint = f"; did you mean {close}?" if close and close not in found else "; leave it out"
            raise ValueError(f"holds {name!r}, which is not read; allowed are {', '.join(allowed)}{hint}")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
