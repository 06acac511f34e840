"""Tasks whose trials are in a file, as MATLAB, PsychRNN or an experiment's own program exports them."""

from pathlib import Path

import numpy as np

from molap.config.base import ConfigError
from molap.config.npz_file import read_known
from molap.config.tasks import DT_MS
from molap.randomness import LARGEST_SEED
from molap.tasks.pool import FEWEST, task_from_arrays
from molap.tasks.task import Task

ARRAYS = ("inputs", "targets", "mask", "input_names", "output_names", "label", "dt", "window", "split_seed")
"""The arrays that a file may hold; it must hold `inputs` and `targets`."""
MEANT = dict.fromkeys(("outputs", "output", "target", "y", "labels"), "targets") | {"input": "inputs", "x": "inputs"}
MEANT |= {"masks": "mask", "weights": "mask", "name": "label", "timestep": "dt", "seed": "split_seed"}
"""Other names of arrays, in small letters → the name that is meant."""


def task_from_file(path: str) -> Task:
    """Return the task of a file `.npz`; its name is the file's, and its trials are drawn from those of the file.

    The file holds `inputs` (time, trial, channel) and `targets` (time, trial, output), and may hold `mask` (time, trial
    or 1, output or 1), `input_names`, `output_names`, `label`, `dt` in ms, `window`, the first step of the decision and
    the step after its last, and `split_seed`. Three fifths of the trials are for training, a fifth each for validation
    and for the test; `split_seed` (0 where the file has none) decides which.

    Raises:
        ConfigError: in one line, if the file cannot be read or holds something else.
    """
    where = f"tasks.modules: {path}"
    arrays = _read(path, where)
    inputs, targets = arrays["inputs"], arrays["targets"]
    for name in ("inputs", "targets"):
        values = arrays[name]
        if values.ndim != 3 or values.dtype.kind not in "fiub" or 0 in values.shape:
            raise ConfigError(
                f"{where}: {name} is {values.dtype} of shape {values.shape}; numbers, time × trial × "
                "channel, are needed"
            )
        with np.errstate(over="ignore"):
            bad = np.argwhere(~np.isfinite(values.astype(np.float32)))
        if len(bad):
            step, trial, channel = bad[0]
            place = f"step {step}, trial {trial}, channel {channel}"
            raise ConfigError(f"{where}: {name} is not finite in single precision at {place}")
    if inputs.shape[:2] != targets.shape[:2]:
        raise ConfigError(
            f"{where}: inputs have {inputs.shape[0]} steps and {inputs.shape[1]} trials, targets "
            f"{targets.shape[0]} and {targets.shape[1]}"
        )
    n_trials = inputs.shape[1]
    if n_trials < FEWEST:
        raise ConfigError(f"{where}: {n_trials} trials are not enough; at least {FEWEST}, to hold some out")
    mask = arrays.get("mask")
    if mask is not None and (
        mask.dtype.kind not in "fiub"
        or mask.ndim != 3
        or mask.shape[0] != inputs.shape[0]
        or mask.shape[1] not in (1, n_trials)
        or mask.shape[2] not in (1, targets.shape[2])
    ):
        raise ConfigError(
            f"{where}: mask is {mask.dtype} and has the shape {mask.shape}; numbers of the shape {targets.shape} are "
            "needed: time, trial, output, of which the last two may be 1"
        )
    name = Path(path).stem
    return task_from_arrays(
        name,
        _texts(arrays["label"])[0] if "label" in arrays and arrays["label"].size == 1 else name,
        inputs,
        targets,
        _names(arrays, "input", inputs.shape[2], where),
        _names(arrays, "output", targets.shape[2], where),
        mask=mask,
        dt=_dt(arrays["dt"], where) if "dt" in arrays else DT_MS,
        window=_window(arrays["window"], where) if "window" in arrays else None,
        split_seed=_split_seed(arrays["split_seed"], where) if "split_seed" in arrays else 0,
    )


def _read(path: str, where: str) -> dict[str, np.ndarray]:
    try:
        arrays = read_known(path, ARRAYS, MEANT)
    except ConfigError as error:
        raise ConfigError(f"tasks.modules: {error}") from None
    missing = [name for name in ("inputs", "targets") if name not in arrays]
    if missing:
        raise ConfigError(f"{where} has no {missing[0]}; it holds {', '.join(arrays) or 'nothing'}")
    return arrays


def _names(arrays: dict[str, np.ndarray], what: str, n: int, where: str) -> tuple[str, ...]:
    """Return the names of channels, `input1` … where the file does not name them."""
    if f"{what}_names" not in arrays:
        return tuple(f"{what}{i + 1}" for i in range(n))
    names = _texts(arrays[f"{what}_names"])
    if len(names) != n:
        raise ConfigError(f"{where}: {what}_names has {len(names)} names for {n} channels")
    return names


def _texts(values: np.ndarray) -> tuple[str, ...]:
    return tuple(value.decode() if isinstance(value, bytes) else str(value) for value in np.ravel(values).tolist())


def _dt(values: np.ndarray, where: str) -> float:
    if values.size != 1 or values.dtype.kind not in "fiu":
        raise ConfigError(f"{where}: dt is {np.ravel(values).tolist()}; one number, the duration of a step in ms")
    return float(values.item())


def _split_seed(values: np.ndarray, where: str) -> int:
    whole = values.size == 1 and values.dtype.kind in "fiu" and np.isfinite(values).all() and values == np.round(values)
    if not whole or not 0 <= values.item() <= LARGEST_SEED:
        raise ConfigError(f"{where}: split_seed is {np.ravel(values).tolist()}; an integer from 0 to {LARGEST_SEED}")
    return int(values.item())


def _window(values: np.ndarray, where: str) -> tuple[int, int]:
    whole = values.size == 2 and values.dtype.kind in "fiu" and np.isfinite(values).all()
    if not whole or (values != np.round(values)).any():
        raise ConfigError(f"{where}: window is {np.ravel(values).tolist()}; its first step and the step after its last")
    first, stop = (int(step) for step in np.ravel(values))
    return first, stop
