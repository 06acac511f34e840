"""Show why separate networks used to get stuck: their states and gradients during training."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from molap.figures.style import new_figure, panel_letter

COLOURS = {"now": "#0173b2", "before": "#d55e00"}
NAMES = {"now": "as in this run", "before": "as before"}
READOUT = {
    "zero": "readout starts at zero",
    "n_units": "readout of variance 1/(N + 1)",
    "n_outputs": "readout of variance 1/N_out",
    "n_units_squared": "readout of variance 1/N²",
}
"""The initial readout, by the value of `network.readout_init`."""
DASHES = {1: "-", 2: (0, (2.5, 1.5))}
"""Line style of each pulse."""
PANELS = (
    (("accuracy",), "outputs correct (%)"),
    (("saturated",), "rates beyond ±0.95 (%)"),
    (("spectral_radius",), "spectral radius of W_rec"),
    (("state_variance",), "variance of states at Go"),
    (("gradient_pulse1", "gradient_pulse2"), "gradient at the pulse"),
    (("r2_pulse1", "r2_pulse2"), "R² of the pulse at Go"),
    (("r2_target",), "R² of the target at Go"),
)
"""The quantities and the title of each column; two quantities belong to the first and the second pulse."""
ON_LOG = ("state_variance", "gradient_pulse1", "gradient_pulse2")
"""Quantities that span many decades; their mean over network seeds is geometric."""
LOWEST_R2 = -0.3
"""Lower end of the axis: decoders of states that hold nothing are far below 0, and chance determines how far."""
LETTERS = "ABCDEFG"


def mean_over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over network seeds by protocol, task and step (geometric for quantities that span decades).

    A geometric mean is 0 if one of its values is 0, such as the gradient of a network whose readout is zero.
    """
    keys = ["protocol", "task", "label", "step"]
    values = table.drop(columns="network_seed")
    with np.errstate(divide="ignore"):
        values = values.assign(**{name: np.log(values[name]) for name in ON_LOG})
    mean = values.groupby(keys, sort=False).mean().reset_index()
    return mean.assign(**{name: np.exp(mean[name]) for name in ON_LOG})


def draw_plateau(table: pd.DataFrame, protocols: dict[str, dict]) -> Figure:
    """Draw every quantity against steps: a row per task, a column per quantity, a colour per protocol.

    Args:
        table: the table of the stage `plateau_table`.
        protocols: for `now` and `before`, the `readout_init`, `learning_rate`, `recurrent_rate` and `n_steps` of the
            separate networks, for the legend.
    """
    mean, tasks = mean_over_seeds(table), list(dict.fromkeys(table.task))
    figure = new_figure(15.0, 1.1 + 2.3 * len(tasks))
    grid = figure.subplots(len(tasks), len(PANELS), squeeze=False, sharex=True)
    for row, task in enumerate(tasks):
        own, own_mean = table[table.task == task], mean[mean.task == task]
        for column, (quantities, title) in enumerate(PANELS):
            axes = grid[row, column]
            for pulse, quantity in enumerate(quantities, start=1):
                _lines(axes, own, own_mean, quantity, DASHES[pulse])
            if row == 0:
                axes.set_title(title, size=9)
            if row == len(tasks) - 1:
                axes.set_xlabel("training step")
            if quantities[0].startswith("r2"):
                axes.set_ylim(LOWEST_R2, 1.05)
            panel_letter(axes, LETTERS[column] + (str(row + 1) if len(tasks) > 1 else ""))
        accuracy = grid[row, 0]
        accuracy.axhline(own.best_constant.iloc[0], ls=":", color="black", lw=1)
        accuracy.set(ylim=(0, 103), ylabel=f"{own.label.iloc[0]} ({task})")
        grid[row, 1].set_ylim(0, 100)
    _step_axis(grid[0, 0], int(table.step.max()))
    figure.legend(handles=_legend(protocols), loc="outside lower center", ncols=2)
    n_seeds = table.network_seed.nunique()
    note = f"thin: {n_seeds} network seeds, thick: their mean (D, E: geometric)" if n_seeds > 1 else "one network seed"
    note += "; E: gradient of the response error with respect to the state in the middle of the pulse"
    note += ", 0 (so not drawn) while the readout is zero; F, G: linear decoding from the last state before Go"
    figure.suptitle(note, size=8, x=0.01, ha="left")
    return figure


def _lines(axes: Axes, rows: pd.DataFrame, mean: pd.DataFrame, quantity: str, dashes) -> None:
    for protocol, colour in reversed(COLOURS.items()):
        own = rows[rows.protocol == protocol]
        if own.network_seed.nunique() > 1:
            for _, network in own.groupby("network_seed"):
                axes.plot(network.step, network[quantity], color=colour, ls=dashes, lw=0.5, alpha=0.5)
        line = mean[mean.protocol == protocol]
        axes.plot(line.step, line[quantity], color=colour, ls=dashes, lw=1.7)
    if quantity in ON_LOG:
        axes.set_yscale("log", nonpositive="mask")


def _step_axis(axes: Axes, last: int) -> None:
    """Make the step axis, which all panels share, logarithmic, with the untrained network at 0."""
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.15, last * 1.15)
    axes.xaxis.set_major_locator(FixedLocator([0, *(10**power for power in range(len(str(last))))]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:.0f}"))


def _legend(protocols: dict[str, dict]) -> list[Line2D]:
    found = []
    for name, colour in COLOURS.items():
        of = protocols[name]
        text = f"{NAMES[name]}: {READOUT[of['readout_init']]}, {of['n_steps']:,} steps at rate {of['learning_rate']:g}"
        text += "" if of["recurrent_rate"] == 1 else f" (W_rec {of['learning_rate'] * of['recurrent_rate']:g})"
        found.append(Line2D([], [], color=colour, lw=1.7, label=text))
    found.append(Line2D([], [], color="black", lw=1, ls=":", label="A: best constant output"))
    found.append(Line2D([], [], color="grey", lw=1.7, ls=DASHES[1], label="E, F: first pulse"))
    found.append(Line2D([], [], color="grey", lw=1.7, ls=DASHES[2], label="E, F: second pulse"))
    return found
