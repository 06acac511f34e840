"""Read a user's `.npz` file as strictly as a configuration: every array that is bad or unknown is named."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from molap.config.base import ConfigError, did_you_mean, in_one_line
from molap.storage.files import PROVENANCE


class Pickled(NamedTuple):
    """Stands for an array of Python objects, which is not opened."""

    name: str


def read_npz(path: str | Path) -> dict[str, np.ndarray | Pickled]:
    """Return the arrays of a file by name. Nothing in it is executed: arrays of Python objects stay closed.

    Raises:
        ConfigError: in one line, if it is no such file, holds an array twice, or one of its arrays cannot be read.
    """
    try:
        with open(path, "rb") as start:
            if start.read(2) != b"PK":
                raise ConfigError(f"{path} is not an .npz file (numpy.savez writes one)")
        file = np.load(path, allow_pickle=False)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    except ConfigError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds of errors for damaged content
        raise ConfigError(f"{path} is damaged: {in_one_line(error)}") from None
    with file:
        for name, n in Counter(file.files).items():
            if n > 1:
                raise ConfigError(f"{path} holds {name} {n} times; keep one")
        return {name: _one(file, name, path) for name in file.files if name != PROVENANCE}


def read_known(path: str | Path, known: Collection[str], meant: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the arrays of a file that may hold these alone, and none of Python objects.

    Args:
        path: a file `.npz`.
        known: the names of arrays that it may hold.
        meant: other names that people use, in small letters → the name that is meant.

    Raises:
        ConfigError: as `read_npz`, or if the file holds another array, or one of Python objects.
    """
    arrays = {}
    for name, values in read_npz(path).items():
        if name not in known:
            hint = did_you_mean(name, known, meant) or "; leave it out"
            raise ConfigError(f"{path} holds {name!r}, which is not read; allowed are {', '.join(known)}{hint}")
        if isinstance(values, Pickled):
            raise ConfigError(f"{path} holds an array {name} that holds Python objects; numbers are needed")
        arrays[name] = values
    return arrays


def _one(file: np.lib.npyio.NpzFile, name: str, path: str | Path) -> np.ndarray | Pickled:
    try:
        values = file[name]
    except Exception as error:
        if "Object arrays" in str(error):
            return Pickled(name)
        raise ConfigError(f"{path} holds an array {name} that is damaged: {in_one_line(error)}") from None
    if not isinstance(values, np.ndarray):
        raise ConfigError(f"{path} holds {name}, which is not a NumPy array")
    return values
