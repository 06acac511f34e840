"""Files of MATLAB: up to version 7 by SciPy, version 7.3 (HDF5) by h5py, an extra: `pip install molap[matlab]`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from molap.config.base import ConfigError, in_one_line


def read_mat(file: str | Path) -> dict[str, Any]:
    """Return the variables of a file, or the fields of the struct that is its only variable.

    Row and column vectors have one axis. Version 7.3 stores arrays with their axes reversed; here they are as MATLAB
    shows them. `modules` in MATLAB's numbers are whole numbers.

    Raises:
        ConfigError: in one line, if the file is none of MATLAB's, or needs h5py, which is not installed.
    """
    from scipy.io import loadmat

    try:
        found = loadmat(file, simplify_cells=True)
    except NotImplementedError:  # HDF5
        found = _read_hdf5(file)
    except Exception as error:  # SciPy raises many kinds for damaged content
        raise ConfigError(f"{file} is not a .mat file ({in_one_line(error)})") from None
    found = {name: values for name, values in found.items() if not name.startswith("__")}
    if len(found) == 1 and isinstance(only := next(iter(found.values())), dict):
        found = only
    return {name: _plain(name, values) for name, values in found.items()}


def _plain(name: str, values: Any) -> Any:
    if hasattr(values, "toarray"):  # a sparse matrix
        return values.toarray()
    if name == "modules":
        values = np.asarray(values)
        if values.dtype == object or values.dtype.kind == "U":
            return np.array([str(label).strip() for label in values.ravel()])
        if np.issubdtype(values.dtype, np.floating) and np.array_equal(values, np.round(values)):
            return values.astype(np.int64)
    return values


def _read_hdf5(file: str | Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError:
        raise ConfigError(
            f"{file} is of MATLAB's version 7.3, which h5py reads: pip install 'molap[matlab]', or save it with '-v7'"
        ) from None
    with h5py.File(file, "r") as opened:
        return {name: _of_hdf5(opened[name], opened) for name in opened if name != "#refs#"}


def _of_hdf5(item: Any, opened: Any) -> Any:
    if isinstance(item, Mapping):  # a struct
        return {name: _of_hdf5(item[name], opened) for name in item}
    kind = item.attrs.get("MATLAB_class", b"").decode()
    values = np.asarray(item[()]).T
    if item.attrs.get("MATLAB_empty", 0):
        return np.array([])
    if kind == "cell":
        cells = np.array([_of_hdf5(opened[one], opened) for one in values.ravel()], dtype=object)
        return np.squeeze(cells.reshape(values.shape)) if cells.ndim == 1 else cells
    if kind == "char":
        return "".join(map(chr, values.ravel()))
    return np.squeeze(values)


def write_mat(file: str | Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as version 5, which MATLAB and Octave read."""
    from scipy.io import savemat

    savemat(file, dict(arrays), oned_as="column")
