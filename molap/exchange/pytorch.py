"""State dicts of PyTorch, read without PyTorch and without running what is pickled in them.

A file `.pt` is a ZIP of `data.pkl`, which names tensors, and of their bytes. The reader below builds arrays from the
names that a state dict needs; a file that names anything else, such as a whole model, is refused.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from molap.config.base import ConfigError, in_one_line

DTYPES = {"FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "LongStorage": "i8", "IntStorage": "i4"}
NESTED = ("state_dict", "model_state_dict")


def read_state_dict(file: str | Path) -> dict[str, Any]:
    """Return the arrays of a state dict that `torch.save` wrote, or of the one in a checkpoint.

    Raises:
        ConfigError: in one line, if it is no such file, or names anything but tensors.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            (pickled,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(pickled) as opened:
                found = _Tensors(opened, archive, pickled.removesuffix("data.pkl"), file).load()
    except ConfigError:
        raise
    except Exception as error:  # a damaged pickle may raise anything
        raise ConfigError(f"{file} is no state dict that torch.save wrote ({in_one_line(error)})") from None
    for name in NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not all(isinstance(values, np.ndarray) for values in found.values()):
        raise ConfigError(f"{file} holds more than tensors by name; save model.state_dict()")
    return {str(name): values for name, values in found.items()}


class _Tensors(pickle.Unpickler):
    """Unpickles dictionaries of tensors; every other name is refused."""

    def __init__(self, opened: Any, archive: zipfile.ZipFile, folder: str, file: str | Path) -> None:
        super().__init__(opened)
        self._archive, self._folder, self._path = archive, folder, file

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name in the pickle."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise ConfigError(f"{self._path} names {module}.{name}, which is not loaded; save model.state_dict()")

    def persistent_load(self, pid: Any) -> np.ndarray:
        """Return the numbers of a tensor's storage."""
        _, dtype, key, _, n = pid
        order = self._folder + "byteorder"
        big = order in self._archive.namelist() and self._archive.read(order) == b"big"
        content = self._archive.read(f"{self._folder}data/{key}")
        return np.frombuffer(content, np.dtype(dtype).newbyteorder(">" if big else "<"), count=n)


def _tensor(storage: np.ndarray, offset: int, size: tuple, stride: tuple, *rest: Any) -> np.ndarray:
    places = np.full(size, offset, np.int64)
    for axis, (n, step) in enumerate(zip(size, stride, strict=True)):
        places += step * np.arange(n).reshape([-1 if i == axis else 1 for i in range(len(size))])
    return storage[places]  # an index beyond the storage is an IndexError


def _parameter(values: np.ndarray, *rest: Any) -> np.ndarray:
    return values


def write_state_dict(file: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a state dict with PyTorch.

    Raises:
        ConfigError: in one line, if PyTorch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise ConfigError(
            f"{file}: PyTorch writes its own files, and is not installed; pip install torch, or give a name "
            "that ends with .mat or .npz"
        ) from None
    torch.save({name: torch.from_numpy(np.array(values)) for name, values in arrays.items()}, file)
