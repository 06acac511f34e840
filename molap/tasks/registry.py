"""The registry of tasks. A new task takes one function and one line here, or in a user's own `TASKS`."""

import contextlib
import functools
import importlib
import importlib.util
import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from molap.config.base import CachedByFiles, ConfigError, in_one_line
from molap.jobs.surroundings import jax_settings, restore
from molap.tasks import decision, delay
from molap.tasks.checks import check_declaration, check_name, check_rule, check_trials
from molap.tasks.task import Task
from molap.tasks.trial import DELAY, MEMORY, PULSED

DIRECTION = ("fixation", "cos", "sin")
STREAM_1, STREAM_2, STREAMS = (
    ("fixation", "stream1"),
    ("fixation", "stream2"),
    ("fixation", "stream1", "stream2"),
)
CHOICE = ("fixation", "choice")
SUMS = (-math.sqrt(2), math.sqrt(2))

BUILT_IN = (
    Task("delay_pro", "T1", delay.delay_pro, DIRECTION, DIRECTION, epochs=DELAY),
    Task("delay_anti", "T2", delay.delay_anti, DIRECTION, DIRECTION, epochs=DELAY),
    Task("mem_pro", "T3", delay.mem_pro, DIRECTION, DIRECTION, epochs=MEMORY),
    Task("mem_anti", "T4", delay.mem_anti, DIRECTION, DIRECTION, epochs=MEMORY),
    Task("mem_dm1", "T5", decision.mem_dm1, STREAM_1, CHOICE, epochs=PULSED),
    Task("mem_dm2", "T6", decision.mem_dm2, STREAM_2, CHOICE, epochs=PULSED),
    Task("context_mem_dm1", "T7", decision.context_mem_dm1, STREAMS, CHOICE, epochs=PULSED),
    Task("context_mem_dm2", "T8", decision.context_mem_dm2, STREAMS, CHOICE, epochs=PULSED),
    Task("multi_mem", "T9", decision.multi_mem, STREAMS, CHOICE, target_bounds=SUMS, epochs=PULSED),
)


@CachedByFiles
def load_tasks(modules: tuple[str, ...] = ()) -> dict[str, Task]:
    """Return all tasks by name: the nine of the paper, then those that the user's modules define.

    A file that has changed since the last call is read again.

    Args:
        modules: Python files or importable modules with a list `TASKS`; files `.npz` of trials
            (`molap.tasks.from_file`); environments `neurogym:…` (`molap.tasks.from_neurogym`).

    Raises:
        ConfigError: in one line, if a module cannot be read, has no tasks, uses a name that is taken, or defines a task
            that is not what its functions return.
    """
    tasks = {task.name: task for task in BUILT_IN}
    with contextlib.redirect_stdout(sys.stderr):  # what a user's module prints does not belong to a command's output
        _add(tasks, modules)
    return tasks


def check_rules(modules: tuple[str, ...], names: Iterable[str], window: int) -> None:
    """Check the rules of some tasks on the last steps of a trial, where the tasks have no window of their own.

    Raises:
        ConfigError: in one line, as `load_tasks`.
    """
    tasks = load_tasks(modules)
    for name in names:
        check_rule(tasks[name], window)


def _add(tasks: dict[str, Task], modules: tuple[str, ...]) -> None:
    for module in modules:
        before = jax_settings()
        for task in _added(module):
            check_name(task, module)
            if task.name in tasks or task.label in (other.label for other in tasks.values()):
                raise ConfigError(
                    f"tasks.modules: {module!r} defines {task.name!r} ({task.label}), a name or label that is already "
                    "taken"
                )
            check_declaration(task, module)
            check_trials(task, module)
            # Caches tell functions apart by identity, and objects of a user's may be equal.
            tasks[task.name] = task._replace(
                build=functools.partial(task.build),
                mask=task.mask and functools.partial(task.mask),
                inputs=tuple(task.inputs),
                outputs=tuple(task.outputs),
            )
        if changed := restore(before):
            raise ConfigError(
                f"tasks.modules: {module!r} sets {changed} of JAX, on which the numbers of all jobs depend"
            )


def _added(module: str) -> list[Task] | tuple[Task, ...]:
    """Return the tasks that a module, or a file of trials, defines."""
    if module.lower().endswith(".npz"):
        from molap.tasks.from_file import task_from_file  # reads a whole file of trials

        return [task_from_file(module)]
    if module.startswith("neurogym:"):
        from molap.tasks.from_neurogym import neurogym_task  # draws thousands of trials

        return [neurogym_task(module.removeprefix("neurogym:"))]
    added = getattr(_import(module), "TASKS", None)
    if not isinstance(added, list | tuple) or not all(isinstance(task, Task) for task in added):
        raise ConfigError(f"tasks.modules: {module!r} has no list TASKS of molap.tasks.registry.Task")
    return added


def _import(module: str):
    if module.endswith(".py") and not Path(module).is_file():
        raise ConfigError(
            f"tasks.modules: {module!r} cannot be imported: there is no file {Path(module).resolve()}; paths are "
            "relative to the working directory"
        )
    if not module.endswith(".py") and (Path(module).is_file() or os.sep in module):
        raise ConfigError(
            f"tasks.modules: {module!r} is not allowed; give a Python file (.py), a module that Python can import, a "
            "file of trials (.npz), or neurogym:NAME"
        )
    try:
        if not module.endswith(".py"):
            return importlib.import_module(module)
        folder = str(Path(module).resolve().parent)
        spec = importlib.util.spec_from_file_location(Path(module).stem, module)
        assert spec and spec.loader, "a file .py has both"
        loaded = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(spec.name, loaded)
        before = {*sys.modules}
        sys.path.insert(0, folder)  # a file may import what is next to it
        try:
            spec.loader.exec_module(loaded)
        finally:
            sys.path.remove(folder)
            for name in {*sys.modules} - before:  # another folder may have a module of the same name
                if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder + os.sep):
                    del sys.modules[name]
        return loaded
    except (Exception, SystemExit) as error:  # a user's file may raise anything
        raise ConfigError(f"tasks.modules: {module!r} cannot be imported: {in_one_line(error)}") from None
