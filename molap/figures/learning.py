"""Draw sample efficiency and scaling: accuracy during learning, and the growth of weights and updates."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from molap.analysis.intervals import half_width
from molap.analysis.learning import cumulative
from molap.figures.style import COLOURS, NAMES, kind_colour, kind_name, network_seeds, new_figure, panel_letter
from molap.storage.paths import IN_SEQUENCE

HEIGHT = "outputs correct (%)"


def draw_learning(table: pd.DataFrame, labels: dict[str, str], decay: str) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy on validation trials against steps (A: mean over tasks), against updates (B), and by task (C).

    Args:
        table: the table of `molap.analysis.learning.learning`.
        labels: task → T1 ….
        decay: the decay of the learning rate (`optimiser.decay`), which determines how to read earlier points.

    Returns:
        The figure, and the data of panels A and B.
    """
    mean = cumulative(table)
    n_columns = 5
    n_rows = -(-len(labels) // n_columns)
    figure = new_figure(13.0, 4.6 + 2.2 * n_rows)
    grid = figure.add_gridspec(1 + n_rows, 2 * n_columns, height_ratios=[1.7] + [1] * n_rows)
    steps, updates = figure.add_subplot(grid[0, :n_columns]), figure.add_subplot(grid[0, n_columns:])
    _lines(steps, mean, "step")
    _lines(updates, mean, "updates")
    constant = table.groupby("task").best_constant.first().reindex(labels)
    jointly = " (joint: in total)" if (table.strategy == "joint").any() else ""
    for axes, letter, label in (
        (steps, "A", f"steps per task{jointly}"),
        (updates, "B", "updates of weights, all tasks"),
    ):
        axes.axhline(constant.mean(), ls="--", color="black", lw=1, label="best constant output")
        axes.set(xlabel=label, ylabel=HEIGHT, ylim=(0, 103), title="mean over tasks")
        panel_letter(axes, letter)
    _step_scale(steps)
    updates.set_xscale("log")
    for i, (task, label) in enumerate(labels.items()):
        column = 2 * (i % n_columns)
        axes = figure.add_subplot(grid[1 + i // n_columns, column : column + 2])
        _lines(axes, table[table.task == task], "step")
        axes.axhline(constant[task], ls="--", color="black", lw=1)
        axes.set(xlabel="steps", ylabel=HEIGHT if i % n_columns == 0 else "", ylim=(0, 103), title=label)
        _step_scale(axes)
        panel_letter(axes, f"C{i + 1}")
    figure.legend(*steps.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    n_seeds = table.network_seed.nunique()
    note = f"bands: 95 % interval over {network_seeds(table)}" if n_seeds > 1 else "one network seed"
    if table.strategy.isin(IN_SEQUENCE).any():
        note += "; learning in turn: each task while it is learned"
    note += "; B: all tasks at the same step, pre-training included"
    if decay != "constant":
        note += (
            "\nthe learning rate decays until the last step: earlier points do not show what shorter training reaches"
        )
    figure.suptitle(note, size=8, x=0.01, ha="left")
    return figure, mean


def _step_scale(axes: Axes) -> None:
    """Make the axis logarithmic, with the untrained network at 0 and the last point in full view."""
    last = axes.dataLim.x1
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.3, 1.5 * last)


def _lines(axes: Axes, rows: pd.DataFrame, x: str) -> None:
    for (strategy, source), own in rows.groupby(["strategy", "source"], sort=False):
        line = own.groupby("step").agg(x=(x, "first"), y=("accuracy", "mean"), sd=("accuracy", "std"), n=(x, "size"))
        line = line[line.x > 0] if x == "updates" else line
        colour, label = kind_colour(strategy, source), kind_name(strategy, source)
        dashes = "--" if source == "norule" else "-"
        axes.plot(line.x, line.y, dashes, marker="o", ms=3, lw=1.3, color=colour, label=label)
        if (line.n > 1).all():
            half = half_width(line.sd, line.n)
            axes.fill_between(line.x, line.y - half, line.y + half, color=colour, alpha=0.15, lw=0)


def draw_scaling(table: pd.DataFrame, n_units: int) -> Figure:
    """Draw trained weights and updates against the number of tasks (at one size) and of units (with all tasks).

    Args:
        table: the table of `molap.analysis.counts.scaling`.
        n_units: the size at which the number of tasks varies; the nearest size in the table is used.
    """
    sizes = np.array(sorted(set(table.n_units)))
    size = sizes[np.abs(sizes - n_units).argmin()]
    figure = new_figure(9.0, 6.4)
    grid = figure.subplots(2, 2, sharey="row")
    quantities = {"trained": "weights trained", "updates": "updates of weights"}
    views = (
        (table[table.n_units == size], "n_tasks", f"number of tasks (N = {size})"),
        (table[table.n_tasks == table.n_tasks.max()], "n_units", f"number of units N ({table.n_tasks.max()} tasks)"),
    )
    for i, (quantity, height) in enumerate(quantities.items()):
        for j, (rows, x, label) in enumerate(views):
            axes = grid[i, j]
            for strategy, own in rows.groupby("strategy", sort=False):
                # DNI trains as many weights as separate networks, so their lines coincide.
                look = {"lw": 1.3, "ms": 3} if strategy != "separate" else {"lw": 4, "ms": 7, "alpha": 0.6}
                axes.plot(own[x], own[quantity], "o-", **look, color=COLOURS[strategy], label=NAMES[strategy])
            axes.set(xlabel=label, ylabel=height if j == 0 else "", yscale="log")
            axes.set_xscale("log" if x == "n_units" else "linear")
            if x == "n_tasks":
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            if x == "n_units":
                axes.set_xticks(sizes, map(str, sizes), minor=False)
                axes.minorticks_off()
            panel_letter(axes, "ABCD"[2 * i + j])
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    note = "from formulas, same N for all strategies; updates: weights trained × steps; DNI with rule input: "
    note += "every task trains all weights, so they count once per task"
    figure.suptitle(note, size=8, x=0.01, ha="left")
    return figure
