"""Define the style that all figures share, and save figures."""

import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import BinaryIO, NamedTuple
from zlib import crc32

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from molap.storage.files import canonical_json, write_atomically, write_table

_PALETTE = sns.color_palette("colorblind")
COLOURS = {
    "separate": _PALETTE[7],
    "dni": _PALETTE[1],
    "molap": _PALETTE[0],
    "cca": _PALETTE[0],
    "pca": _PALETTE[2],
    "none": _PALETTE[4],
    "rule": _PALETTE[1],
    "norule": _PALETTE[3],
    "joint": _PALETTE[5],
    "sequential": _PALETTE[6],
}
NAMES = {
    "separate": "separate networks",
    "dni": "DNI",
    "molap": "MoLaP",
    "cca": "MoLaP, CCA pre-training",
    "pca": "MoLaP, PCA pre-training",
    "none": "random reservoir, no pre-training",
    "rule": "DNI, rule input",
    "norule": "DNI, no rule input",
    "joint": "all tasks jointly",
    "sequential": "in sequence, unprotected",
}


class Shown(NamedTuple):
    """Name the two outputs that Figs 2 and 3 show of a task; the defaults are those of the nine tasks."""

    titles: tuple[str, ...] = ("output 1 (fixation)", "output 2")
    dt: float = 10.0
    """Duration of a step in ms."""

    @classmethod
    def of(cls, outputs: Sequence[str], dt: float) -> "Shown":
        """Return the titles for a task with other outputs, from their names."""
        return cls(tuple(f"output {i + 1} ({name})" for i, name in enumerate(outputs[:2])), dt)


NINE_TASKS = Shown()
CONFLICT = "without a rule input, tasks with the same inputs and different targets conflict"

MOST_LETTERS = 45
"""Letters that fit below a panel; the nine tasks have 27, with spaces."""
DPI = 160
RC = {
    "svg.hashsalt": "molap",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "figure.dpi": DPI,  # at other values, text widths differ by some pixels; the layout is computed at this one
    "savefig.dpi": DPI,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "font.size": 9,
}


def kind_name(strategy: str, source: str) -> str:
    """Return the name of a kind of network in legends."""
    if strategy in ("joint", "sequential"):
        return f"{NAMES[strategy]}, {'' if source == 'rule' else 'no '}rule input"
    if strategy == "molap" and source not in NAMES:
        return f"reservoir “{source}”"
    return NAMES.get(source, NAMES[strategy])


def kind_colour(strategy: str, source: str):
    """Return the colour of a kind of network."""
    if strategy in ("joint", "sequential"):
        return COLOURS[strategy]
    if strategy == "molap" and source not in COLOURS:
        return sns.husl_palette(60, s=0.7, l=0.5)[crc32(source.encode()) % 60]
    return COLOURS.get(source, COLOURS[strategy])


def network_seeds(table: pd.DataFrame) -> str:
    """Describe the number of network seeds, and name the kinds (columns strategy, source) that have fewer."""
    counts = table.groupby(["strategy", "source"], sort=False).network_seed.nunique()
    fewer = [f"{kind_name(*kind)}: {n}" for kind, n in counts.items() if n < counts.max()]
    return f"{counts.max()} network seeds" + (f" ({', '.join(fewer)})" if fewer else "")


class Drawing(Figure):
    """A figure that belongs to no window; a notebook shows it."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=80, bbox_inches="tight")
        return buffer.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """Make a figure of the given size in inches, in the common style, with constrained layout."""
    matplotlib.rcdefaults()  # ignores the user's matplotlibrc in the working directory or at home
    sns.set_theme(context="paper", style="ticks", palette="colorblind", rc=RC)
    figure = Drawing(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def panel_letter(axes: Axes, letter: str) -> None:
    """Put a panel's letter at its upper left corner, outside the axes."""
    axes.annotate(
        letter, (0, 1), (-28, 6), xycoords="axes fraction", textcoords="offset points", weight="bold", size=11
    )


def turn_long_labels(axes: Axes, labels: Iterable[str]) -> None:
    """Turn the names below an axis upright if they would overlap side by side."""
    if sum(len(label) + 1 for label in labels) > MOST_LETTERS:
        axes.tick_params(axis="x", labelrotation=90)


def legend_below(figure: Figure, axes: Axes, ncols: int) -> None:
    """Put the legend of a panel below all panels, in `ncols` columns or, if the names are too long, in fewer."""
    for n in range(ncols, 0, -1):
        legend = figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=n)
        if n == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def save_figure(
    figure: Figure, outputs: Mapping[str, str], provenance: dict, data: pd.DataFrame | dict[str, pd.DataFrame]
) -> None:
    """Save a figure as PNG, SVG and PDF, byte for byte the same for the same input, with its data as CSV.

    Args:
        figure: the figure to save.
        outputs: the paths of `png`, `svg`, `pdf`, and the `data`, or `data_PANEL` for the data of each panel.
        provenance: written into the metadata of each file.
        data: the data that the figure shows, as one table or as one table per panel.
    """
    about = canonical_json(provenance)
    _settle(figure)
    for kind, metadata in (
        ("pdf", {"Subject": about, "CreationDate": None}),
        ("svg", {"Description": about, "Date": None}),
        ("png", {"Description": about}),
    ):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, metadata=metadata)
        write_atomically(outputs[kind], partial(_write, buffer.getvalue()))
    tables = {f"data_{panel}": table for panel, table in data.items()} if isinstance(data, dict) else {"data": data}
    for name, table in tables.items():
        write_table(outputs[name], table)


def _write(content: bytes, file: BinaryIO) -> None:
    file.write(content)


def _settle(figure: Figure) -> None:
    """Compute the layout of a figure once, and round the positions of its axes and subfigures to a grid.

    The layout solver sums in an order that depends on memory addresses. Without this step, the last bits of positions,
    and with them the bytes of the files, would differ from process to process.

    Raises:
        UserWarning: if not everything fits; Matplotlib would save the figure with overlaps.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constrained_layout not applied")
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for subfigure in figure.subfigs:
        bounds = subfigure.bbox_relative
        bounds.p0, bounds.p1 = ([_on_grid(value) for value in point] for point in (bounds.p0, bounds.p1))
    for axes in figure.axes:
        left, bottom, width, height = (_on_grid(value) for value in axes.get_position(original=True).bounds)
        axes.set_position((left, bottom, width, height))


def _on_grid(value: float) -> float:
    """Return the nearest of a million values from 0 to 1, offset by a third so that no sum of halves is a tie."""
    return (round(1e6 * value + 1 / 3) - 1 / 3) / 1e6
