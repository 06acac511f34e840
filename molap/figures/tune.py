"""Draw the search for training settings: failures and validation accuracy of each kind's best candidates."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from molap.analysis.choice import ALL
from molap.analysis.collect import split_kind
from molap.figures.style import kind_colour, kind_name, legend_below, new_figure

SHOWN = 10
"""Largest number of candidates in a panel."""
GREY = (0.3, 0.3, 0.3)


def shown(table: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Select what the figure shows: the best candidates, by the rule of the choice, of every kind and of all kinds.

    Args:
        table: columns kind, candidate, best_constant and, if tasks were learned in sequence, accuracy_right_after.
        choice: columns kind, candidate, rank, networks, failed, accuracy, lowest_accuracy; best first.
    """
    means = ["best_constant", *(name for name in ("accuracy_right_after",) if name in table)]
    best = choice.groupby("kind", sort=False).head(SHOWN)
    best = best.assign(n_candidates=best.kind.map(choice.kind.value_counts()))
    rows = best.merge(table.groupby(["kind", "candidate"])[means].mean().reset_index(), how="left")
    return rows.fillna({"best_constant": table.best_constant.mean()})


def draw_tune(rows: pd.DataFrame) -> Figure:
    """Draw a panel per kind: each candidate's number of failed networks, and mean and lowest accuracy, best first.

    Args:
        rows: the table of `shown`.
    """
    kinds = list(dict.fromkeys(rows.kind))
    heights = [0.9 + 0.21 * n for n in rows.kind.value_counts()[kinds]]
    figure = new_figure(8.5, sum(heights) + 0.4)
    places = figure.subfigures(len(kinds), 1, height_ratios=heights, squeeze=False).flat
    lowest = 10.0 * math.floor(min(rows.lowest_accuracy.min(), rows.best_constant.min()) / 10)
    for subfigure, kind in zip(places, kinds, strict=True):
        _draw_kind(subfigure, rows[rows.kind == kind].reset_index(drop=True), kind, lowest)
    with_most = max(figure.subfigs, key=lambda one: len(one.axes[1].get_legend_handles_labels()[0]) if one.axes else 0)
    legend_below(figure, with_most.axes[1], 4)
    return figure


def _draw_kind(subfigure, rows: pd.DataFrame, kind: str, lowest: float) -> None:
    colour = GREY if kind == ALL else kind_colour(*split_kind(kind))
    failures, accuracy = subfigure.subplots(1, 2, sharey=True, width_ratios=(1, 2))
    y = np.arange(len(rows))
    failures.barh(y, rows.failed, color=colour, height=0.7)
    for place, n in zip(y, rows.failed, strict=True):
        failures.annotate(str(n), (n, place), (2, 0), textcoords="offset points", va="center", size=8)
    n_networks = rows.networks.max()
    failures.set(yticks=y, yticklabels=rows.candidate, ylim=(len(rows) - 0.4, -0.6), xlim=(0, 1.15 * n_networks))
    failures.tick_params(axis="y", labelsize=8, length=0)
    failures.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    failures.set_xlabel(f"failed of {n_networks}")
    accuracy.hlines(y, rows.lowest_accuracy, rows.accuracy, color=colour, lw=1, alpha=0.5)
    accuracy.plot(rows.lowest_accuracy, y, "|", color=colour, ms=6, label="lowest network")
    accuracy.plot(rows.accuracy, y, "o", color=colour, ms=4, label="mean")
    if "accuracy_right_after" in rows and rows.accuracy_right_after.notna().any():
        accuracy.plot(
            rows.accuracy_right_after, y, "o", mfc="none", color=colour, ms=5, label="mean, right after each task"
        )
    accuracy.axvline(rows.best_constant.mean(), color="black", lw=0.8, ls=":", label="best constant output")
    accuracy.set(xlim=(lowest - 1, 101), xlabel="validation accuracy (%)")
    accuracy.tick_params(axis="y", length=0)
    accuracy.grid(axis="y", lw=0.3)
    name = "all kinds together" if kind == ALL else kind_name(*split_kind(kind))
    n, of = len(rows), int(rows.n_candidates.max())
    subfigure.suptitle(f"{name}: " + (f"the best {n} of {of} candidates" if n < of else f"{n} candidates"), size=10)
