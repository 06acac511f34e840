"""Draw learning in sequence: how well each network performs after each task and at the end."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from molap.figures.style import (
    COLOURS,
    CONFLICT,
    NAMES,
    kind_name,
    network_seeds,
    new_figure,
    panel_letter,
    turn_long_labels,
)


def draw_continual(scores: pd.DataFrame, performance: pd.DataFrame, labels: dict[str, str]) -> Figure:
    """Draw a column per kind of network: a heat map of accuracy, and accuracy right after learning and at the end.

    For a single kind of network, the two panels are side by side.

    Args:
        scores: the table `continual`; the figure shows only the first order of the tasks, averaged over network seeds.
        performance: the table `performance`, for joint training and the best constant output.
        labels: task → T1 ….
    """
    scores = scores[scores.order == 0]
    kinds = list(scores.groupby(["strategy", "source"], sort=False).groups)
    if len(kinds) == 1:
        figure = new_figure(9.0, 4.0)
        grid = figure.subplots(1, 2, width_ratios=[1, 1.25]).reshape(2, 1)
    else:
        figure = new_figure(3.7 * len(kinds) + 0.5, 6.6)
        grid = figure.subplots(2, len(kinds), height_ratios=[1.25, 1])
    joint = performance[performance.strategy == "joint"]
    for column, (strategy, source) in enumerate(kinds):
        rows = scores[(scores.strategy == strategy) & (scores.source == source)]
        order = rows[rows.place > 0].drop_duplicates("place").sort_values("place").after.tolist()
        matrix = rows.pivot_table(index="place", columns="task", values="accuracy", aggfunc="mean")[order]
        _heat_map(grid[0, column], matrix.loc[1:], [labels[task] for task in order], kind_name(strategy, source))
        _remains(grid[1, column], matrix, order, labels, joint[joint.source == source], rows, COLOURS[strategy])
        for row in (0, 1):
            panel_letter(grid[row, column], "AB"[row] + (str(column + 1) if len(kinds) > 1 else ""))
    grid[1, 0].set_ylabel("outputs correct (%)")
    most = max((axes.get_legend_handles_labels() for axes in grid[1]), key=lambda entries: len(entries[0]))
    figure.legend(*most, loc="outside lower center", ncols=4)
    n_seeds = scores.network_seed.nunique()
    note = f"mean over {network_seeds(scores)}" if n_seeds > 1 else "one network seed"
    note += "; A: outputs correct (%); tasks right of the white line are not yet learned"
    if "norule" in set(scores.source):
        note += f"\n{CONFLICT}"
    figure.suptitle(note, size=8, x=0.01, ha="left")
    return figure


def _heat_map(axes: Axes, matrix: pd.DataFrame, labels: list[str], title: str) -> None:
    sns.heatmap(
        matrix.to_numpy(),
        ax=axes,
        vmin=0,
        vmax=100,
        cmap="viridis",
        annot=True,
        fmt=".0f",
        annot_kws={"size": 7},
        xticklabels=labels,
        yticklabels=labels,
        cbar=False,
        square=True,
    )
    n = len(labels)
    steps = np.repeat(np.arange(n + 1), 2)
    axes.plot(steps[1:], steps[:-1], color="white", lw=2, clip_on=False)
    axes.set(title=title, xlabel="tested on", ylabel="after learning")
    axes.tick_params(axis="y", rotation=0)


def _remains(axes: Axes, matrix: pd.DataFrame, order, labels, joint: pd.DataFrame, rows, colour) -> None:
    x = np.arange(len(order))
    right_after = [matrix.loc[place, task] for place, task in enumerate(order, start=1)]
    end = matrix.loc[len(order)].to_numpy()
    axes.vlines(x, end, right_after, color=colour, lw=1)
    axes.plot(x, right_after, "o", ms=9, mfc="white", color=colour, label="right after learning the task")
    axes.plot(x, end, "o", color=colour, label="after all tasks")
    if len(joint):
        together = joint.groupby("task").accuracy.mean()[order]
        axes.plot(x, together, "_", ms=12, mew=2, color=COLOURS["joint"], label=NAMES["joint"])
    constant = rows.groupby("task").best_constant.first()[order]
    axes.hlines(constant, x - 0.4, x + 0.4, color="black", lw=1.3, label="best constant output")
    axes.set(ylim=(-3, 105), xlabel="")
    axes.set_xticks(x, [labels[task] for task in order])
    turn_long_labels(axes, labels.values())
