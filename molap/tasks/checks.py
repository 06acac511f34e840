"""Checks of a user's task: what its functions return is compared with what it declares, before anything is trained."""

import math
import re
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from molap.config.base import ConfigError, in_one_line
from molap.config.tasks import TrialSettings
from molap.tasks.task import Task, named

TAKEN = frozenset({"all", "nan", "null", "reservoir", *dir(list), *dir(dict)})
"""Words that tables, files or Snakemake's lists of files use for something else."""
TAKEN_FORMS = re.compile(r"module\d+|(checkpoints|validation|testset|record)_.*|(temp_)?size(_.*)?")
LONGEST = 100_000
"""The largest number of steps of a trial."""
N_TRIALS = 64
"""Trials that are drawn to compare the values with the declaration."""
ROUNDING = 1e-5
"""By how much a value may exceed its bounds, as a share of their width."""


def check_name(task: Task, module: str) -> None:
    """Check the name and the label of a task."""
    if not isinstance(task.label, str) or not task.label or task.label != task.label.strip():
        raise ConfigError(
            f"tasks.modules: {module!r} gives the task {task.name!r} the label {task.label!r}; give text without "
            "spaces around it"
        )
    if not isinstance(task.name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", task.name):
        raise ConfigError(
            f"tasks.modules: {module!r} names a task {task.name!r}; use lower-case letters, digits and '_'"
        )
    if task.name in TAKEN or TAKEN_FORMS.fullmatch(task.name):
        raise ConfigError(
            f"tasks.modules: {module!r} names a task {task.name!r}, which has another meaning in file names or tables; "
            "give another name"
        )


def check_declaration(task: Task, module: str) -> None:
    """Check what a task says about itself, without calling its functions."""
    where = f"tasks.modules: {module!r}: the task {task.name!r} has"
    for what in ("inputs", "outputs"):
        names = getattr(task, what)
        texts = isinstance(names, tuple | list) and all(isinstance(name, str) and name for name in names)
        if not texts or not names or len(set(names)) < len(names):
            raise ConfigError(f"{where} {what} {names!r}; give the names of its channels, each once")
    for what in ("input_bounds", "target_bounds"):
        bounds = getattr(task, what)
        if not _pair_of(bounds, int | float) or not -math.inf < bounds[0] < bounds[1] < math.inf:
            raise ConfigError(f"{where} {what} {bounds!r}; give the lowest and the highest value")
    if not _is(task.n_steps, int) or not 2 <= task.n_steps <= LONGEST:
        raise ConfigError(f"{where} n_steps {task.n_steps!r}; give a whole number from 2 to {LONGEST}")
    if not _is(task.dt, int | float) or not 0 < task.dt < math.inf:
        raise ConfigError(f"{where} dt {task.dt!r}; give the duration of a step in ms")
    epochs = task.epochs if isinstance(task.epochs, Mapping) else {"": task.epochs}
    spans: dict[Any, Any] = {f"the epoch {name!r}": span for name, span in epochs.items()}
    for name, span in (spans | ({} if task.window is None else {"window": task.window})).items():
        if not _pair_of(span, int) or not 0 <= span[0] < span[1] <= task.n_steps:
            raise ConfigError(
                f"{where} {name} {span!r}; give its first step and the step after its last, from 0 to {task.n_steps}"
            )


def check_trials(task: Task, module: str) -> None:
    """Compare the trials that the task's functions give with its declaration."""
    where, settings = f"tasks.modules: {module!r}: the task {task.name!r}", TrialSettings()
    for what in ("build", "draw", "mask", "decide"):
        function = getattr(task, what)
        if not callable(function) and not (function is None and what in ("mask", "decide")):
            raise ConfigError(f"{where} has {what} {function!r}; give a function")

    def drawn(n_trials):
        conditions = task.conditions(jax.random.key(0), n_trials, settings)
        mask = None if task.mask is None else task.mask(conditions, settings)
        return *task.build(conditions, settings), mask

    def attempt(what, function, *values):
        try:
            return function(*values)
        except ConfigError:
            raise
        except (Exception, SystemExit) as error:  # a user's function may raise anything
            raise ConfigError(f"{where}: {what} fails: {in_one_line(error)}") from None

    conditions = attempt("draw", jax.eval_shape, lambda: task.conditions(jax.random.key(0), 2, settings))
    for name, values in named(conditions).items():
        if not values.shape or values.shape[0] != 2:
            raise ConfigError(
                f"{where} draws {name} of shape {tuple(values.shape)} for two trials; the first axis must be the trial"
            )
    inputs, targets, mask = attempt("its function", jax.eval_shape, lambda: drawn(2))
    for values, names, what in ((inputs, task.inputs, "inputs"), (targets, task.outputs, "targets")):
        expected = (task.n_steps, 2, len(names))
        if tuple(values.shape) != expected:
            raise ConfigError(
                f"{where} returns {what} of shape {tuple(values.shape)} for two trials; n_steps = {task.n_steps} and "
                f"its channels {', '.join(names)} need {expected}: time, trial, channel"
            )
    if mask is not None:
        sizes = zip(mask.shape, (task.n_steps, 2, len(task.outputs)), (False, True, True), strict=False)
        if len(mask.shape) != 3 or not all(n == full or (one and n == 1) for n, full, one in sizes):
            raise ConfigError(
                f"{where} returns a mask of shape {tuple(mask.shape)}; {(task.n_steps, 2, len(task.outputs))} is "
                "needed: time, trial, output, of which the last two may be 1"
            )
    found = attempt("its function", jax.jit(lambda: drawn(N_TRIALS)))
    inputs, targets, mask = jax.tree.map(np.asarray, found)
    _check_values(task, where, inputs, targets, mask)
    if task.decide is not None:
        _check_decisions(task, where, attempt, targets)


def _check_values(task: Task, where: str, inputs, targets, mask) -> None:
    parts = [(inputs, task.inputs, "inputs", task.input_bounds), (targets, task.outputs, "targets", task.target_bounds)]
    for values, names, what, (low, high) in parts:
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            step, trial, channel = bad[0]
            raise ConfigError(
                f"{where} returns {what} that are not finite: {values[step, trial, channel]} in the channel "
                f"{names[channel]} at step {step}"
            )
        slack = ROUNDING * (high - low)
        if values.min() < low - slack or values.max() > high + slack:
            bounds = "input_bounds" if what == "inputs" else "target_bounds"
            raise ConfigError(
                f"{where} returns {what} from {values.min():.6g} to {values.max():.6g}; its {bounds} are {low:g} and "
                f"{high:g}"
            )
    if np.ptp(targets, axis=(0, 1)).max() == 0:
        raise ConfigError(f"{where} has targets that never change, at any step of any of {N_TRIALS} trials")
    if mask is not None and not (np.isfinite(mask).all() and mask.min() >= 0 and mask.max() > 0):
        raise ConfigError(
            f"{where} returns a mask from {mask.min():g} to {mask.max():g}; weights are finite, at least 0, not all 0"
        )


def _check_decisions(task: Task, where: str, attempt, targets) -> None:
    low, high = task.target_bounds
    seen = ((targets - low) / (high - low))[slice(*(task.window or (0, task.n_steps)))]
    right = np.asarray(attempt("decide", task.decide, seen, seen))
    if right.dtype != bool or right.ndim != 2 or right.shape[0] != N_TRIALS or not right.shape[1]:
        raise ConfigError(
            f"{where}: decide returns {right.dtype} of shape {right.shape} for {N_TRIALS} trials; truth values "
            f"({N_TRIALS}, number of decisions) are needed"
        )
    if not right.all():
        wrong = int((~right.all(axis=1)).sum())
        raise ConfigError(f"{where}: decide calls the targets themselves wrong on {wrong} of {N_TRIALS} trials")


def _is(value: object, kinds: Any) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _pair_of(values: object, kinds: Any) -> bool:
    return isinstance(values, tuple | list) and len(values) == 2 and all(_is(value, kinds) for value in values)
