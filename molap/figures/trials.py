"""Draw trials of a task: inputs, targets, epochs, and the steps from which a decision is read."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Array, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from molap.figures.style import new_figure

MOST = 4
"""Largest number of trials that are drawn."""
LINES = 8
"""Largest number of channels that are drawn as lines with a legend; more are drawn as a matrix."""


Epochs = Mapping[str, tuple[int, int]]


def draw_trials_of(
    title: str,
    inputs: tuple[Sequence[str], Float[Array | np.ndarray, "time trial channel"]],
    targets: tuple[Sequence[str], Float[Array | np.ndarray, "time trial output"]],
    dt: float,
    epochs: Epochs,
    window: tuple[int, int],
) -> Figure:
    """Draw the first trials of a task, one column each: inputs above, targets below, over time in ms.

    Args:
        title: the figure's title.
        inputs: names of the channels, and their values.
        targets: names of the outputs, and their values.
        dt: duration of a step in ms.
        epochs: name → first step, and the step after the last. The names are above the first row.
        window: the first step from which a decision is read, and the step after the last; grey in the second row.
    """
    n_steps, n_trials = inputs[1].shape[0], min(MOST, inputs[1].shape[1])
    figure = new_figure(1.4 + 2.6 * n_trials, 4.2)
    panels = figure.subplots(2, n_trials, sharex=True, sharey="row", squeeze=False)
    for row, (what, names, values) in zip(panels, (("inputs", *inputs), ("targets", *targets)), strict=True):
        for trial, axes in enumerate(row):
            _signals(axes, np.asarray(values[:, trial]), names, dt)
            _epochs(axes, epochs, dt, named=what == "inputs")
            if what == "targets":
                _window(axes, window, dt)
        row[0].set_ylabel(what if len(names) <= LINES else f"{what}: channel")
        if len(names) <= LINES:
            row[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=7)
        else:
            figure.colorbar(row[-1].images[0], ax=list(row), fraction=0.03, label="value")
    for trial, axes in enumerate(panels[0]):
        axes.set_title(f"trial {trial + 1}", pad=14)
    for axes in panels[1]:
        axes.set(xlabel="time (ms)", xlim=(0, n_steps * dt))
    figure.suptitle(title)
    return figure


def _signals(axes: Axes, values: Float[np.ndarray, "time channel"], names: Sequence[str], dt: float) -> None:
    n_steps = len(values)
    if len(names) <= LINES:
        for name, signal in zip(names, values.T, strict=True):
            axes.plot(np.arange(n_steps) * dt, signal, label=name, linewidth=1.2, drawstyle="steps-post")
    else:
        extent = (0.0, n_steps * dt, len(names) - 0.5, -0.5)
        axes.imshow(values.T, aspect="auto", extent=extent, cmap="viridis", interpolation="nearest")


def _window(axes: Axes, window: tuple[int, int], dt: float) -> None:
    start, stop = (step * dt for step in window)
    if axes.images:  # a grey area would be hidden by the image, or hide it
        for time in (start, stop):
            axes.axvline(time, color="white", linewidth=1, linestyle="--")
    else:
        axes.axvspan(start, stop, color="0.92", zorder=0, label="decision")


def _epochs(axes: Axes, epochs: Epochs, dt: float, named: bool) -> None:
    for i, (name, (start, stop)) in enumerate(epochs.items()):
        axes.axvline(start * dt, color="0.7", linewidth=0.7, linestyle=":")
        if named:
            place = (start + stop) / 2 * dt, 1.02 + 0.07 * (i % 2)
            axes.text(*place, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom", fontsize=6)
