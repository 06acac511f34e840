"""Fig 5: tasks that were left out of the corpus of pre-training, and what leaving them out costs."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from molap.figures.style import COLOURS, NAMES, new_figure, panel_letter


def draw_fig5(table: pd.DataFrame, differences: pd.DataFrame, labels: dict[str, str]) -> Figure:
    """Accuracy on left-out tasks (A), and paired differences to the task included (B) and to no pre-training (C).

    Args:
        table: that of `molap.generalisation.generalisation`.
        differences: that of `molap.generalisation.differences`.
        labels: task → T1 ….
    """
    figure = new_figure(12, 9)
    top, middle, bottom = figure.subplots(3, 1, height_ratios=[1.3, 1, 1], sharex=True)
    n_seeds = table.network_seed.nunique()
    _accuracy(top, table, labels, n_seeds)
    _differences(middle, differences, labels, "difference", ("low", "high"))
    middle.set_ylabel("left out − included\n(percent points)")
    if "to_none" in differences:
        _differences(bottom, differences, labels, "to_none", ("to_none_low", "to_none_high"))
    bottom.set_ylabel("left out − no pre-training\n(percent points)")
    bottom.set_xticks(range(len(labels)), list(labels.values()))
    for axes, letter in zip((top, middle, bottom), "ABC", strict=True):
        panel_letter(axes, letter)
    figure.legend(*top.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    note = f"mean and 95 % interval over {n_seeds} network seeds" if n_seeds > 1 else "one network seed"
    note += "; two left out: the task and the next one to the right, scored on the task"
    figure.suptitle(f"{note}; hollow: scored as the second of the two", size=8, x=0.01, ha="left")
    return figure


def _accuracy(axes, table: pd.DataFrame, labels: dict[str, str], n_seeds: int) -> None:
    series = [(source, n) for source in ("cca", "pca") for n in sorted(set(table[table.source == source].n_left_out))]
    for i, (source, n) in enumerate(series):
        rows = table[(table.source == source) & (table.n_left_out == n) & (table.place <= 1)]
        groups = rows.groupby("task").accuracy
        x = np.arange(len(labels)) + (i - (len(series) - 1) / 2) * 0.8 / len(series)
        means = groups.mean().reindex(labels)
        errors = 1.96 * groups.std().reindex(labels) / np.sqrt(n_seeds) if n_seeds > 1 else None
        name = f"{NAMES[source]}: {'all tasks' if n == 0 else f'{n} left out'}"
        axes.bar(x, means, 0.8 / len(series), yerr=errors, color=_shade(source, n), label=name)
    for source, rows in table[table.source == "none"].groupby("source"):
        means = rows.groupby("task").accuracy.mean().reindex(labels)
        axes.plot(range(len(labels)), means, "D", ms=5, color=COLOURS[source], label=NAMES[source])
    constant = table.groupby("task").best_constant.first().reindex(labels)
    x = np.arange(len(labels))
    axes.hlines(constant, x - 0.45, x + 0.45, color="black", lw=1.3, label="best constant output")
    axes.set(ylabel="decisions correct (%)", ylim=(0, 103))


def _shade(source: str, n: int):
    colour = COLOURS[source]
    return sns.light_palette(colour, 10)[{0: 2, 1: 9}.get(n, 5)]


def _differences(axes, rows: pd.DataFrame, labels: dict[str, str], column: str, interval: tuple[str, str]) -> None:
    series = list(dict.fromkeys(zip(rows.source, rows.n_left_out, rows.place, strict=True)))
    for i, (source, n, place) in enumerate(series):
        own = rows[(rows.source == source) & (rows.n_left_out == n) & (rows.place == place)].set_index("task")
        own = own.groupby(level=0).first().reindex(labels)
        x = np.arange(len(labels)) + (i - (len(series) - 1) / 2) * 0.8 / len(series)
        halves = (own[interval[1]] - own[interval[0]]) / 2
        fill = "white" if place > 1 else _shade(source, n)
        axes.errorbar(x, own[column], halves, fmt="o", ms=5, color=_shade(source, n), mfc=fill)
    axes.axhline(0, color="black", lw=0.8)
    axes.grid(axis="y", lw=0.4)
