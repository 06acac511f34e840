"""The search for the optimiser: validation accuracy of every candidate."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from molap.figures.style import COLOURS, NAMES, new_figure


def draw_tune(table: pd.DataFrame) -> Figure:
    """Decision accuracy on validation trials, a panel per task, candidates by their mean over all.

    Args:
        table: columns candidate, strategy, source, task, decision_accuracy.
    """
    table = table.assign(kind=table.source.where(table.source != "-", table.strategy))
    order = table.groupby("candidate").decision_accuracy.mean().sort_values(ascending=False).index
    tasks = list(dict.fromkeys(table.task))
    figure = new_figure(2.6 * (len(tasks) + 1) + 1, 1.2 + 0.32 * len(order))
    panels = figure.subplots(1, len(tasks) + 1, sharey=True)
    mean = table.groupby(["candidate", "kind"], as_index=False).decision_accuracy.mean().assign(task="mean over tasks")
    for axes, task in zip(panels, ["mean over tasks", *tasks], strict=True):
        rows = mean if task == "mean over tasks" else table[table.task == task]
        sns.stripplot(
            rows,
            x="decision_accuracy",
            y="candidate",
            hue="kind",
            order=order,
            palette=COLOURS,
            jitter=False,
            size=6,
            alpha=0.85,
            ax=axes,
            legend=task == tasks[-1],
        )
        axes.set(title=task, xlabel="decisions correct (%)", ylabel="", xlim=(-3, 103))
        axes.grid(axis="y", lw=0.4)
    handles, labels = panels[-1].get_legend_handles_labels()
    panels[-1].get_legend().remove()
    figure.legend(handles, [NAMES.get(label, label) for label in labels], loc="outside lower center", ncols=3)
    return figure
