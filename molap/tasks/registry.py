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

from molap.config.base import ConfigError
from molap.config.tasks import TrialSettings
from molap.tasks import decision, delay
from molap.tasks.trial import Channels, Conditions

DIRECTION = ("fixation", "cos", "sin")
STREAM_1, STREAM_2, STREAMS = (
    ("fixation", "stream1"),
    ("fixation", "stream2"),
    ("fixation", "stream1", "stream2"),
)
CHOICE = ("fixation", "choice")


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


@functools.cache
def load_tasks(modules: tuple[str, ...] = ()) -> dict[str, Task]:
    """Return all tasks by name: the nine of the paper, then those that the user's modules list in `TASKS`.

    Raises:
        ConfigError: if a module cannot be imported, has no `TASKS`, or uses a name that is taken.
    """
    tasks = {task.name: task for task in BUILT_IN}
    for module in modules:
        added = getattr(_import(module), "TASKS", None)
        if not isinstance(added, list | tuple) or not all(isinstance(task, Task) for task in added):
            raise ConfigError(f"tasks.modules: {module!r} has no list TASKS of molap.tasks.registry.Task")
        for task in added:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", task.name) or re.fullmatch(r"module\d+|reservoir", task.name):
                raise ConfigError(
                    f"tasks.modules: {module!r} names a task {task.name!r}; use lower-case letters, digits and '_', "
                    "and neither 'reservoir' nor 'module1' and the like"
                )
            if task.name in tasks or task.label in (other.label for other in tasks.values()):
                raise ConfigError(
                    f"tasks.modules: {module!r} defines {task.name!r} ({task.label}), a name or label already taken"
                )
            tasks[task.name] = task
    return tasks


def _import(module: str):
    try:
        if not module.endswith(".py"):
            return importlib.import_module(module)
        spec = importlib.util.spec_from_file_location(Path(module).stem, module)
        loaded = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(spec.name, loaded)
        spec.loader.exec_module(loaded)
        return loaded
    except Exception as error:  # a user's file may raise anything
        raise ConfigError(f"tasks.modules: {module!r} cannot be imported: {type(error).__name__}: {error}") from None
