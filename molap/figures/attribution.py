"""Draw the figure of the attribution: the effect of each part of a claim with each reading switched."""

import math
import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from molap.figures.style import new_figure

COLOURS = {"holds": "#029e73", "does not hold": "#d55e00"}
N_COLUMNS = 4
TITLE_WIDTH = 42
"""Number of characters that fit above a panel without reaching its neighbours."""


def draw_attribution(table: pd.DataFrame, none: str) -> Figure:
    """Draw one panel per claim and part, with the required range shaded and a line at the unswitched effect.

    If a switch was tried on fewer networks, a hollow point shows the unswitched effect in those same networks.

    Args:
        table: the table of `claims.attribution`.
        none: the name of the switch that switches nothing.
    """
    shown = table.dropna(subset=["mean"])
    parts = list(shown.groupby(["claim", "part"], sort=False).groups)
    switches = list(dict.fromkeys(table.switch))
    n_rows = max(1, math.ceil(len(parts) / N_COLUMNS))
    figure = new_figure(12.0, 0.6 + n_rows * (0.9 + 0.17 * len(switches)))
    axes = figure.subplots(n_rows, N_COLUMNS, squeeze=False, sharey=True).ravel()
    places = {switch: place for place, switch in enumerate(switches)}
    for axis, (claim, part) in zip(axes, parts, strict=False):
        rows = shown[(shown.claim == claim) & (shown.part == part)]
        _draw_part(axis, rows, places, none)
        axis.set_title(textwrap.fill(f"claim {claim}: {part}", TITLE_WIDTH), fontsize=8)
    for axis in axes[len(parts) :]:
        axis.set_visible(False)
    for axis in axes[::N_COLUMNS]:
        axis.set_yticks(list(places.values()), _names(shown, list(places)))
        axis.set_ylim(len(places) - 0.5, -0.5)
    figure.supxlabel(
        "effect (shaded: where the part of the claim holds; line: nothing switched; "
        "hollow: nothing switched, in the same networks as the switch)\n"
        "green: holds; orange: does not hold; grey: undecided, or one network",
        fontsize=9,
    )
    return figure


def _names(table: pd.DataFrame, switches: list[str]) -> list[str]:
    """Return the names of the switches, with the number of networks of each if these numbers differ."""
    counts = table.groupby("switch").n_seeds.max().reindex(switches, fill_value=0)
    names = [switch.replace("_", " ") for switch in switches]
    return names if counts.nunique() == 1 else [f"{name} ({n})" for name, n in zip(names, counts, strict=True)]


def _draw_part(axis, rows: pd.DataFrame, places: dict[str, int], none: str) -> None:
    rows = rows.assign(unswitched=rows["mean"] - rows.change)
    values = rows[["mean", "low", "high", "unswitched"]].to_numpy()
    low, high = np.nanmin(values), np.nanmax(values)
    limits = rows.iloc[0][["low_limit", "high_limit"]].astype(float)
    finite = [limit for limit in limits if np.isfinite(limit)]
    margin = 0.08 * max(max([high, *finite]) - min([low, *finite]), 1e-9)
    left, right = min([low, *finite]) - margin, max([high, *finite]) + margin
    axis.axvspan(max(left, limits.iloc[0]), min(right, limits.iloc[1]), color="#e8f4ea", lw=0)
    base = rows[rows.switch == none]
    if len(base):
        axis.axvline(base["mean"].iloc[0], color="0.6", lw=0.8)
    for _, row in rows.iterrows():
        colour = COLOURS.get(row.verdict, "0.3")
        place = places[row.switch]
        if np.isfinite(row.low):
            axis.plot([row.low, row.high], [place, place], color=colour, lw=1.2)
        axis.plot(row["mean"], place, "o", color=colour, ms=3.5)
        if len(base) and row.n_seeds != base.n_seeds.iloc[0]:
            axis.plot(row.unswitched, place, "o", mfc="white", mec=colour, ms=3.5)
    axis.set_xlim(left, right)
