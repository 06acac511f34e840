"""Read a recurrent network from any file that is known: `.npz`, `.mat`, `.pt`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from molap.config.base import ConfigError
from molap.config.npz_file import read_npz
from molap.exchange.foreign import Foreign, recognise

KINDS = (".npz", ".mat", ".pt", ".pth")


def read_foreign(file: str | Path) -> Foreign:
    """Return what a file says about a recurrent network, unchecked but for its names.

    Raises:
        ConfigError: in one line, if it cannot be read, is not such a file, or holds arrays that MoLaP does not read.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in KINDS:
        raise ConfigError(f"{file} is of an unknown kind; MoLaP reads {', '.join(KINDS)}")
    return recognise(_arrays(file, suffix), str(file))


def _arrays(file: str | Path, suffix: str) -> Mapping[str, Any]:
    if suffix == ".mat":
        from molap.exchange.matlab import read_mat

        return read_mat(file)
    if suffix in (".pt", ".pth"):
        from molap.exchange.pytorch import read_state_dict

        return read_state_dict(file)
    return read_npz(file)
