"""Read a recurrent network from any file that is known: `.npz`, `.mat`, `.pt`."""

import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from molap.config.base import ConfigError, in_one_line
from molap.exchange.foreign import Foreign, Pickled, recognise
from molap.storage.files import PROVENANCE

KINDS = (".npz", ".mat", ".pt", ".pth")


def read_foreign(file: str | Path) -> Foreign:
    """Return what a file says about a recurrent network, unchecked but for its names.

    Raises:
        ConfigError: in one line, if it is no such file, or holds what nothing here reads.
        OSError: if it cannot be read.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in KINDS:
        raise ConfigError(f"{file} is of no known kind; known are {', '.join(KINDS)}")
    return recognise(_arrays(file, suffix), str(file))


def _arrays(file: str | Path, suffix: str) -> dict[str, Any]:
    if suffix == ".mat":
        from molap.exchange.matlab import read_mat

        return read_mat(file)
    if suffix in (".pt", ".pth"):
        from molap.exchange.pytorch import read_state_dict

        return read_state_dict(file)
    return _npz(file)


def _npz(file: str | Path) -> dict[str, Any]:
    """Return arrays by name; those of Python objects, which PsychRNN writes, stay closed."""
    with open(file, "rb") as start:
        if start.read(2) != b"PK":
            raise ConfigError(f"{file} is no .npz file (numpy.savez writes one)")
    name = ""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            twice = [name for name, n in Counter(names).items() if n > 1]
            if twice:
                raise ConfigError(f"{file} holds {twice[0]} {names.count(twice[0])} times; each may stand once")
            arrays = {}
            for name in names:
                if name != PROVENANCE:
                    arrays[name] = _one(archive, name)
            return arrays
    except (OSError, ConfigError):
        raise
    except Exception as error:  # zipfile and NumPy raise a dozen kinds of errors for damaged content
        where = f"holds an array {name} that is damaged" if name else "is damaged"
        raise ConfigError(f"{file} {where}: {in_one_line(error)}") from None


def _one(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(f"{name}.npy") as opened:
        version = np.lib.format.read_magic(opened)
        header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        if header(opened)[2].hasobject:
            return Pickled(name)
    with archive.open(f"{name}.npy") as opened:
        return np.lib.format.read_array(opened, allow_pickle=False)
