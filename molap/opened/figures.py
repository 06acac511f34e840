"""The figures of an opened run as functions, for a choice of kinds of networks and of tasks.

Every function draws from the run's tables, returns a Matplotlib figure that belongs to no window, and leaves the
caller's Matplotlib settings as they were. `kinds` and `tasks` choose and order; all of the run's by default.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from molap.analysis.robustness import areas, robustness
from molap.config.base import ConfigError
from molap.figures.continual import draw_continual
from molap.figures.counts import draw_fig1c
from molap.figures.generalisation import draw_fig5
from molap.figures.learning import draw_learning, draw_scaling
from molap.figures.performance import PANELS, draw_fig2
from molap.figures.perturbations import draw_areas, draw_curves, draw_fig3, draw_matched
from molap.figures.style import NINE_TASKS, Shown
from molap.opened.run import Run
from molap.planning.contents import example_kinds, lesion_task, lesioned_kind, lesions, modular, shown, sweep
from molap.planning.outputs import path
from molap.storage.paths import ALL_TASKS

Names = Sequence[str] | None


def _in_own_style(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    @functools.wraps(draw)
    def drawn(*given: Any, **named: Any) -> Figure:
        run = given[0] if given else named.get("run")
        if not isinstance(run, Run):
            raise ConfigError(f"run: {run!r} is not allowed; give molap.open(FOLDER)")
        with matplotlib.rc_context():
            figure = draw(*given, **named)
            figure.draw_without_rendering()  # ticks take their style when they are made
        return figure

    return drawn


@_in_own_style
def fig1c(run: Run) -> Figure:
    """Draw Fig 1C: weights in all and trained, as printed, corrected and counted."""
    return draw_fig1c(run.table1)


@_in_own_style
def fig2(run: Run, kinds: Names = None, tasks: Names = None, example: str | None = None) -> Figure:
    """Draw Fig 2: accuracy by kind and task, and one task in detail on pre-trained modules and a random reservoir.

    Args:
        run: an opened run.
        kinds: kinds of networks (`run.kinds`) in A to C; those that are learned jointly or unprotected do not show.
        tasks: tasks in A to C.
        example: the task in detail: the run's own, if it is among the tasks and its example trials are there.

    Raises:
        ConfigError: in one line, if a kind or task is not in the table.
    """
    table = _chosen(run, run.performance, kinds, tasks)
    if not {*PANELS} & {*table.strategy}:
        raise ConfigError(f"kinds: {list(kinds or ())} is not allowed; Fig 2 has panels for {', '.join(PANELS)}")
    task = run.config.figures.example_task if example is None else example
    if example is not None and example != run.config.figures.example_task:
        raise ConfigError(
            f"example: {example!r} is not allowed; the run has examples of {run.config.figures.example_task}"
        )
    shown_kinds = [kind for kind in example_kinds(run.config) if kinds is None or kind in kinds]
    at = {"block": run.blocks[0], "task": task}
    files = {kind.removeprefix("molap-"): path("example", run.name, kind=kind, **at) for kind in shown_kinds}
    files = {source: file for source, file in files.items() if task in set(table.task) and run.has(file)}
    examples = {source: run.arrays(file) for source, file in files.items()}
    steps = run.curves if examples else pd.DataFrame(columns=["strategy", "stage"])
    steps = steps[(steps.stage == task) & (steps.strategy == "molap")]
    return draw_fig2(table, examples, steps, task, _said(run, task))


@_in_own_style
def fig3(
    run: Run, kinds: Names = None, task: str | None = None, kind: str | None = None, strength: float | None = None
) -> Figure:
    """Draw Fig 3: accuracy against the strength of lesions by module, and outputs and errors of one lesioned network.

    Args:
        run: an opened run.
        kinds: kinds of networks whose curves show; those that are perturbed by default.
        task: the task; the run's own by default.
        kind: the kind whose first network is lesioned here; the run's own by default.
        strength: percent of its weights that are set to zero.
    """
    task = lesion_task(run.config) if task is None else task
    kind = lesioned_kind(run.config) if kind is None else kind
    strength = run.config.perturbations.example_strength if strength is None else strength
    table = _chosen(run, run.robustness, kinds, [task])
    network, names = run.network(kind, task), modular(run.config, kind)
    trials = run.trials(task).first(min(run.config.figures.example_trials, len(run.trials(task))))
    outputs = np.stack([network.perturb(name, strength).respond(trials) for name in names])
    example = {"perturbations": np.array(names), "outputs": outputs, "targets": trials.targets}
    example["error"] = ((outputs - trials.targets) ** 2).mean(axis=1)
    return draw_fig3(table, example, task, run.tasks, kind, strength, _said(run, task))[0]


@_in_own_style
def fig4(run: Run, kinds: Names = None, tasks: Names = None, relative: bool = False) -> Figure:
    """Draw Fig 4: accuracy against the strength of every perturbation, mean over the tasks.

    Args:
        run: an opened run.
        kinds: kinds of networks; those that are perturbed by default.
        tasks: the tasks over which the mean is taken; those that are perturbed by default.
        relative: whether accuracy is divided by that of the intact network.
    """
    table = robustness(_chosen(run, run.cells, kinds, tasks))
    names = [modular(run.config), [name for name in sweep(run.config) if name not in modular(run.config)]]
    panels = [[(ALL_TASKS, name) for name in row] for row in names if row]
    return draw_curves(table, panels, "relative" if relative else "accuracy", run.tasks)[0]


@_in_own_style
def curves(run: Run, kinds: Names = None, tasks: Names = None, perturbations: Names = None) -> Figure:
    """Draw accuracy against strength, a row per task and a column per perturbation; Figs S1 to S5 are such choices."""
    table = _chosen(run, run.robustness[run.robustness.task != ALL_TASKS], kinds, tasks)
    known = list(sweep(run.config))
    names = _checked("perturbations", perturbations, known)
    panels = [[(task, name) for name in names] for task in dict.fromkeys(table.task)]
    return draw_curves(table, panels, "accuracy", run.tasks)[0]


@_in_own_style
def fig5(run: Run, tasks: Names = None) -> Figure:
    """Draw Fig 5: accuracy on tasks left out of the corpus, and what leaving them out costs."""
    table = run.generalisation.fillna({"left_out": ""})
    names = _checked("tasks", tasks, list(dict.fromkeys(table.task)))
    table, differences = (of[of.task.isin(names)] for of in (table, run.differences))
    return draw_fig5(table, differences, {name: run.tasks[name] for name in run.tasks if name in names})


@_in_own_style
def fig_areas(run: Run, kinds: Names = None, tasks: Names = None) -> Figure:
    """Draw the area under the curve of accuracy over strength, by perturbation and kind, mean over the tasks."""
    table = areas(robustness(_chosen(run, run.cells, kinds, tasks)))
    return draw_areas(table, list(sweep(run.config)), run.tasks)


@_in_own_style
def fig_matched(run: Run, kinds: Names = None, tasks: Names = None) -> Figure:
    """Draw lesions against the share of all weights that they hit, a row per task."""
    table = _chosen(run, run.robustness[run.robustness.task != ALL_TASKS], kinds, tasks)
    return draw_matched(table, list(dict.fromkeys(table.task)), lesions(run.config), run.tasks)[0]


@_in_own_style
def fig_learning(run: Run, kinds: Names = None, tasks: Names = None) -> Figure:
    """Draw accuracy on validation trials while networks learn, against steps and updates."""
    table = _chosen(run, run.learning, kinds, tasks)
    labels = {name: run.tasks[name] for name in dict.fromkeys(table.task)}
    return draw_learning(table, labels, run.config.optimiser.decay)[0]


@_in_own_style
def fig_dni(run: Run, kinds: Names = None) -> Figure:
    """Draw accuracy on every task after every task of the sequence, and each task right after it and at the end."""
    scores = _chosen(run, run.continual.fillna({"after": ""}), kinds, None)
    return draw_continual(scores, run.performance, run.tasks)


@_in_own_style
def fig_scaling(run: Run, n_units: int | None = None) -> Figure:
    """Draw weights trained and updates against the number of tasks and of units, from the formulas."""
    return draw_scaling(run.scaling, run.config.network.n_units if n_units is None else n_units)


def _chosen(run: Run, table: pd.DataFrame, kinds: Names, tasks: Names) -> pd.DataFrame:
    """Return the rows of the kinds and tasks, in their order."""
    of_row = table.strategy.where(table.source == "-", table.strategy + "-" + table.source)
    there = [kind for kind in run.kinds if kind in set(of_row)]
    wanted = _checked("kinds", kinds, there)
    names = _checked("tasks", tasks, list(dict.fromkeys(table.task)))
    rank = dict(zip(wanted, range(len(wanted)), strict=True)), dict(zip(names, range(len(names)), strict=True))
    kept = table[of_row.isin(wanted) & table.task.isin(names)]
    order = kept.assign(_kind=of_row[kept.index].map(rank[0]), _task=kept.task.map(rank[1]))
    return order.sort_values(["_kind", "_task"], kind="stable").drop(columns=["_kind", "_task"])


def _checked(field: str, wanted: Names, there: list[str]) -> list[str]:
    if isinstance(wanted, str):
        raise ConfigError(f"{field}: {wanted!r} is not allowed; give a list, for example [{wanted!r}]")
    for name in wanted or ():
        if name not in there:
            raise ConfigError(f"{field}: {name!r} is not allowed; this figure has {', '.join(there)}")
    if wanted is not None and len({*wanted}) < len(wanted):
        raise ConfigError(f"{field}: {list(wanted)} is not allowed; name each once")
    if wanted is not None and not len(wanted):
        raise ConfigError(f"{field}: an empty list is not allowed; this figure has {', '.join(there)}")
    return there if wanted is None else list(wanted)


def _said(run: Run, task: str) -> Shown:
    found = shown(run.config, task)
    return Shown.of(**found) if found else NINE_TASKS
