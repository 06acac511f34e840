"""Say on which trials each task is tested, and when a decision is right."""

from collections.abc import Sequence

from molap.report.article.words import breakable, listed
from molap.tasks.pool import n_held_out
from molap.tasks.task import Task


def decisions(tasks: Sequence[Task], n_trials: int) -> dict:
    """Return what the text says of test trials and decisions.

    Args:
        tasks: the run's tasks.
        n_trials: the number of test trials of every task, `evaluation.n_trials`.

    Returns:
        `by_mean`, the tasks with the paper's criterion; `windows`, in brackets, the steps of those that do not read the
        last ones; `others`, a sentence about tasks with a rule of their own; `repeated`, the end of a sentence about
        tasks that hold out fewer trials than are shown. Each is empty if there is nothing to say.
    """
    by_mean = [task for task in tasks if task.decide is None]
    windows = [f"{_steps(task)} of {breakable(task.name)}" for task in by_mean if task.window]
    others = [
        f"{breakable(task.name)} (on {_steps(task) if task.window else 'the last steps'})"
        for task in tasks
        if task.decide is not None
    ]
    held_out = {task.name: n_held_out(task, "test") for task in tasks}
    few = [f"{breakable(name)} ({n} distinct)" for name, n in held_out.items() if n is not None and n < n_trials]
    return {
        "by_mean": listed(breakable(task.name) for task in by_mean),
        "windows": f" ({listed(windows)})" if windows else "",
        "others": f"A rule of its own judges {listed(others)}." if others else "",
        "repeated": f"; they repeat the held-out trials of {listed(few)}" if few else "",
    }


def _steps(task: Task) -> str:
    first, after = task.window or (0, task.n_steps)
    return f"steps {first} to {after - 1}"
