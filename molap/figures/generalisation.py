"""Draw Fig 5: tasks left out of the pre-training corpus, and the cost of leaving them out."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from molap.analysis.intervals import half_width
from molap.figures.style import (
    COLOURS,
    NAMES,
    kind_colour,
    kind_name,
    legend_below,
    new_figure,
    panel_letter,
    turn_long_labels,
)
from molap.storage.paths import FITTED

Series = tuple[str, int, int, int, int]
"""Source, size of the left-out set, number of its absent tasks, the task's place in it, and which of several sets."""


def draw_fig5(table: pd.DataFrame, differences: pd.DataFrame, labels: dict[str, str]) -> Figure:
    """Draw accuracy on left-out tasks (A), and how it differs from the task included (B) and from no pre-training (C).

    Args:
        table: the table of `molap.analysis.generalisation.generalisation`.
        differences: the table of `molap.analysis.generalisation.differences`.
        labels: task → T1 ….
    """
    figure = new_figure(12.0, 9.0)
    top, middle, bottom = figure.subplots(3, 1, height_ratios=[1.3, 1, 1], sharex=True)
    _accuracy(top, table, labels)
    for axes, name, other in ((middle, "difference", "included"), (bottom, "to_none", "no pre-training")):
        _differences(axes, differences, table, labels, name)
        axes.set_ylabel(f"left out − {other}\n(percentage points)")
    bottom.set_xticks(range(len(labels)), list(labels.values()))
    turn_long_labels(bottom, labels.values())
    for axes, letter in zip((top, middle, bottom), "ABC", strict=True):
        panel_letter(axes, letter)
    legend_below(figure, top, 4)
    figure.suptitle(_note(table, labels), size=8, x=0.01, ha="left")
    return figure


def _note(table: pd.DataFrame, labels: dict[str, str]) -> str:
    n_seeds, names = table.network_seed.nunique(), list(labels)
    notes = [f"95 % intervals over {n_seeds} network seeds (dots)" if n_seeds > 1 else "one network seed"]
    sets = [left_out.split("+") for left_out in dict.fromkeys(table.left_out) if left_out]
    pairs = [found for found in sets if len(found) == 2]
    larger = any(len(found) > 2 for found in sets)
    if (
        not larger
        and 2 < len(pairs) == len(names)
        and all((names.index(second) - names.index(first)) % len(names) == 1 for first, second in pairs)
    ):
        first, last = ("+".join(labels[task] for task in pair) for pair in (pairs[0], pairs[-1]))
        notes.append(f"sets of two are neighbours: {first}, …, {last}")
    elif any(len(found) > 1 for found in sets):
        shown = ["+".join(labels[task] for task in found) for found in sets[:8]] + ["…"] * (len(sets) > 8)
        notes.append(f"left out: {', '.join(shown)}")
    if (table.place > 1).any():
        notes.append("A: the task named first in each set; B and C: filled, that task; hollow, the set's other tasks")
    return "; ".join(notes)


def _series(rows: pd.DataFrame) -> Iterator[tuple[Series, pd.DataFrame]]:
    """Group rows that are drawn alike; within a group, a task belongs to at most one left-out set."""
    keys = ["source", "n_left_out", "n_absent", "place"]
    sets = rows.drop_duplicates([*keys, "task", "left_out"])
    rank = sets.groupby([*keys, "task"]).cumcount()
    rows = rows.merge(sets.assign(rank=rank)[[*keys, "task", "left_out", "rank"]])
    rows = rows.assign(at=rows.source.map(FITTED.index))
    for (_, *series), group in rows.groupby(["at", *keys, "rank"]):
        yield tuple(series), group


def _accuracy(axes: Axes, table: pd.DataFrame, labels: dict[str, str]) -> None:
    fitted = table[table.source.isin(FITTED) & (table.place <= 1)]
    groups = list(_series(fitted))
    for i, (series, rows) in enumerate(groups):
        mean, half = _mean_by_task(rows, labels)
        x = np.arange(len(labels)) + (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
        axes.bar(x, mean, 0.8 / len(groups), yerr=half, color=_shade(*series[:2]), label=_name(*series))
    others = table[~table.source.isin(FITTED)]
    for (source, rows), marker in zip(others.groupby("source", sort=False), "DPXv^<>" * len(others), strict=False):
        mean, half = _mean_by_task(rows, labels)
        colour, name = kind_colour("molap", source), kind_name("molap", source)
        axes.errorbar(range(len(labels)), mean, half, fmt=marker, ms=5, color=colour, label=name)
    constant = table.groupby("task").best_constant.first().reindex(labels)
    centres = np.arange(len(labels))
    axes.hlines(constant, centres - 0.45, centres + 0.45, color="black", lw=1.3, label="best constant output")
    axes.set(ylabel="outputs correct (%)", ylim=(0, 103))


def _mean_by_task(rows: pd.DataFrame, labels: dict[str, str]):
    """Return the mean by task, and half its 95 % interval (None with one network seed)."""
    found = rows.groupby("task").accuracy.agg(["mean", "std", "size"]).reindex(labels)
    if rows.network_seed.nunique() == 1:
        return found["mean"], None
    return found["mean"], half_width(found["std"], found["size"])


def _name(source: str, n_left_out: int, n_absent: int, place: int, rank: int) -> str:
    named = "all tasks" if n_left_out == 0 else f"{n_left_out} left out"
    if n_absent < n_left_out:
        named = f"{n_left_out} named, none left out (released code)"
    return f"{NAMES[source]}: {named}" + (f" (set {rank + 1})" if rank else "")


def _shade(source: str, n: int):
    return sns.light_palette(COLOURS[source], 10)[{0: 2, 1: 9, 2: 6}.get(n, 4)]


def _differences(
    axes: Axes, differences: pd.DataFrame, table: pd.DataFrame, labels: dict[str, str], column: str
) -> None:
    groups, by_seed = list(_series(differences)), table.network_seed.nunique() > 1
    for i, ((source, n, _, place, _), rows) in enumerate(groups):
        own = rows.set_index("task").reindex(labels)
        x = np.arange(len(labels)) + (i - (len(groups) - 1) / 2) * 0.8 / len(groups)
        half = (own[f"{column}_high"] - own[f"{column}_low"]) / 2
        fill = "white" if place > 1 else _shade(source, n)
        axes.errorbar(x, own[column], half, fmt="o", ms=5, color=_shade(source, n), mfc=fill)
        if by_seed:
            seeds = table.merge(rows[["source", "task", "left_out"]])
            places = seeds.task.map(dict(zip(labels, x, strict=True)))
            axes.plot(places, seeds[column], ".", ms=2.5, color="black", alpha=0.5, zorder=3)
    axes.axhline(0, color="black", lw=0.8)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -1), max(high, 1))  # differences below a point are not what the panel is about
    axes.grid(axis="y", lw=0.4)
