"""Draw the effect of the number of modules and components (A.2.1) on accuracy, explained variance and cost."""

import pandas as pd
from matplotlib.figure import Figure

from molap.analysis.intervals import half_width
from molap.figures.style import COLOURS, NAMES, new_figure, panel_letter

FIXED = {"network": ("o-", "total units fixed"), "module": ("s--", "units per module fixed")}
PRINTED = {2: 60, 3: 70}
"""Variance explained by r components, in percent, as printed in A.2.1."""


def draw_modules(table: pd.DataFrame, labels: dict[str, str]) -> Figure:
    """Draw, by number of modules, accuracy as mean over tasks (A) and by task (D), explained variance (B), updates (C).

    Args:
        table: the table of the stage `modules`.
        labels: task → T1 ….
    """
    n_columns = -(-len(labels) // 2)
    figure = new_figure(2.5 * max(n_columns, 4), 8.2)
    grid = figure.add_gridspec(2, 1, height_ratios=[1.5, 2])
    means, tasks = grid[0].subgridspec(1, 3), grid[1].subgridspec(2, n_columns)
    mean = table.groupby(["fixed", "source", "n_modules", "network_seed"], sort=False).mean(numeric_only=True)
    mean = mean.reset_index()
    accuracy, explained, cost = (figure.add_subplot(means[i]) for i in range(3))
    _lines(accuracy, mean, "accuracy")
    accuracy.axhline(table.best_constant.mean(), ls=":", color="black", lw=1, label="best constant output")
    accuracy.set(ylim=(0, 103), ylabel="outputs correct (%)", title="mean over tasks")
    fitted = mean[mean.explained_variance.notna()]
    _lines(explained, fitted[fitted.fixed == "network"], "explained_variance")
    explained.plot(*zip(*PRINTED.items(), strict=True), "kx", label="printed (A.2.1)")
    explained.set(ylim=(0, 103), ylabel="target variance explained (%)")
    _lines(cost, mean, "updates")
    cost.set(yscale="log", ylabel="updates of weights, all tasks")
    for axes, letter in zip((accuracy, explained, cost), "ABC", strict=True):
        panel_letter(axes, letter)
    for i, (task, label) in enumerate(labels.items()):
        axes = figure.add_subplot(tasks[divmod(i, n_columns)])
        _lines(axes, table[table.task == task], "accuracy")
        axes.axhline(table[table.task == task].best_constant.mean(), ls=":", color="black", lw=1)
        axes.set(ylim=(0, 103), title=label, ylabel="outputs correct (%)" if i % n_columns == 0 else "")
        panel_letter(axes, f"D{i + 1}")
    for axes in figure.axes:
        axes.set_xlabel("modules and components r")
        axes.set_xticks(sorted(set(table.n_modules)))
    handles = dict(zip(*reversed(accuracy.get_legend_handles_labels()), strict=True))
    handles |= dict(zip(*reversed(explained.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=3)
    n_seeds = table.network_seed.nunique()
    note = f"bars: 95 % interval over {n_seeds} network seeds" if n_seeds > 1 else "one network seed"
    sizes = table[table.fixed == "network"].groupby("n_modules").n_units.first()
    note += f"; total units fixed: N = {', '.join(map(str, sizes))}"
    figure.suptitle(note, size=8, x=0.01, ha="left")
    return figure


def _lines(axes, rows: pd.DataFrame, y: str) -> None:
    for (fixed, source), own in rows.groupby(["fixed", "source"], sort=False):
        line = own.groupby("n_modules")[y].agg(["mean", "std", "size"])
        half = half_width(line["std"], line["size"]) if (line["size"] > 1).all() else None
        shape, name = FIXED[fixed]
        label = f"{NAMES.get(source, source)}, {name}"
        axes.errorbar(line.index, line["mean"], half, fmt=shape, ms=4, lw=1.3, color=COLOURS[source], label=label)
