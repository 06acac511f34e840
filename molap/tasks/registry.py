"""The registry of tasks. A new task takes one function and one line here, or in a user's own `TASKS`."""

import functools
import importlib
import importlib.util
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax

from molap.config.base import CachedByFiles, ConfigError
from molap.config.tasks import TrialSettings
from molap.tasks import decision, delay
from molap.tasks.trial import N_STEPS, Channels, Conditions, draw_conditions

DIRECTION = ("fixation", "cos", "sin")
STREAM_1, STREAM_2, STREAMS = (
    ("fixation", "stream1"),
    ("fixation", "stream2"),
    ("fixation", "stream1", "stream2"),
)
CHOICE = ("fixation", "choice")

TAKEN = frozenset({"all", "nan", "null", "reservoir", *dir(list), *dir(dict)})
"""Words that tables, files or Snakemake's lists of files use for something else."""
TAKEN_FORMS = re.compile(r"module\d+|(checkpoints|validation|testset|record)_.*|(temp_)?size(_.*)?")


class Task(NamedTuple):
    """A task: a function for trials without noise, the names of its channels, and the bounds of their values."""

    name: str
    label: str
    build: Callable[[Conditions, TrialSettings], Channels]
    """(conditions, settings) → inputs (time, trial, channel) and targets (time, trial, output), fixation first."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_bounds: tuple[float, float] = (-1.0, 1.0)
    target_bounds: tuple[float, float] = (-1.0, 1.0)


BUILT_IN = (
    Task("delay_pro", "T1", delay.delay_pro, DIRECTION, DIRECTION),
    Task("delay_anti", "T2", delay.delay_anti, DIRECTION, DIRECTION),
    Task("mem_pro", "T3", delay.mem_pro, DIRECTION, DIRECTION),
    Task("mem_anti", "T4", delay.mem_anti, DIRECTION, DIRECTION),
    Task("mem_dm1", "T5", decision.mem_dm1, STREAM_1, CHOICE),
    Task("mem_dm2", "T6", decision.mem_dm2, STREAM_2, CHOICE),
    Task("context_mem_dm1", "T7", decision.context_mem_dm1, STREAMS, CHOICE),
    Task("context_mem_dm2", "T8", decision.context_mem_dm2, STREAMS, CHOICE),
    Task("multi_mem", "T9", decision.multi_mem, STREAMS, CHOICE, target_bounds=(-math.sqrt(2), math.sqrt(2))),
)


@CachedByFiles
def load_tasks(modules: tuple[str, ...] = ()) -> dict[str, Task]:
    """Return all tasks by name: the nine of the paper, then those that the user's modules list in `TASKS`.

    A file that has changed since the last call is read again.

    Raises:
        ConfigError: if a module cannot be imported, has no `TASKS`, uses a name that is taken, or defines a task whose
            trials do not have the channels that it names.
    """
    tasks = {task.name: task for task in BUILT_IN}
    for module in modules:
        added = getattr(_import(module), "TASKS", None)
        if not isinstance(added, list | tuple) or not all(isinstance(task, Task) for task in added):
            raise ConfigError(f"tasks.modules: {module!r} has no list TASKS of molap.tasks.registry.Task")
        for task in added:
            _check_names(task, module)
            if task.name in tasks or task.label in (other.label for other in tasks.values()):
                raise ConfigError(
                    f"tasks.modules: {module!r} defines {task.name!r} ({task.label}), a name or label already taken"
                )
            _check_channels(task, module)
            _check_trials(task, module)
            tasks[task.name] = task._replace(build=functools.partial(task.build))  # told apart by identity in caches
    return tasks


def _check_names(task: Task, module: str) -> None:
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


def _check_channels(task: Task, module: str) -> None:
    where = f"tasks.modules: {module!r}: the task {task.name!r} has"
    for what in ("inputs", "outputs"):
        names = getattr(task, what)
        texts = isinstance(names, tuple | list) and all(isinstance(name, str) and name for name in names)
        if not texts or not names or len(set(names)) < len(names):
            raise ConfigError(f"{where} {what} {names!r}; give the names of its channels, each once")
    for what in ("input_bounds", "target_bounds"):
        bounds = getattr(task, what)
        numbers = isinstance(bounds, tuple | list) and all(isinstance(bound, int | float) for bound in bounds)
        if not numbers or len(bounds) != 2 or not -math.inf < bounds[0] < bounds[1] < math.inf:
            raise ConfigError(f"{where} {what} {bounds!r}; give the lowest and the highest value")


def _check_trials(task: Task, module: str) -> None:
    """See to it that the function gives a channel for every name, without computing anything."""
    where, settings = f"tasks.modules: {module!r}: the function of the task {task.name!r}", TrialSettings()
    if not callable(task.build):
        raise ConfigError(f"{where} is {task.build!r}; give a function")
    conditions = jax.eval_shape(lambda: draw_conditions(jax.random.key(0), 2, settings))
    try:
        inputs, targets = jax.eval_shape(lambda given: task.build(given, settings), conditions)
        shapes = tuple(inputs.shape), tuple(targets.shape)
    except (Exception, SystemExit) as error:  # a user's function may raise anything
        raise ConfigError(f"{where} fails: {_in_one_line(error)}") from None
    for shape, names, what in zip(shapes, (task.inputs, task.outputs), ("inputs", "targets"), strict=True):
        if shape != (N_STEPS, 2, len(names)):
            raise ConfigError(
                f"{where} returns {what} of shape {shape} for two trials; its channels {', '.join(names)} need "
                f"{(N_STEPS, 2, len(names))}: time, trial, channel"
            )


def _in_one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")


def _import(module: str):
    try:
        if not module.endswith(".py"):
            return importlib.import_module(module)
        spec = importlib.util.spec_from_file_location(Path(module).stem, module)
        assert spec and spec.loader, "a file .py has both"
        loaded = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(spec.name, loaded)
        spec.loader.exec_module(loaded)
        return loaded
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        raise ConfigError(f"tasks.modules: {module!r} cannot be imported: {_in_one_line(error)}") from None
