"""Draw Fig 2: accuracy of every strategy on every task (A–C), and one task in detail (D, E)."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from molap.analysis.intervals import half_width
from molap.figures.style import (
    COLOURS,
    CONFLICT,
    NAMES,
    NINE_TASKS,
    Shown,
    kind_colour,
    kind_name,
    network_seeds,
    new_figure,
    panel_letter,
    turn_long_labels,
)

TRACES = 3
MOST_NAMED = 6
"""Largest number of outputs that the legend of their weights names; a longer one would cover the weights."""
PANELS = {"separate": "A", "dni": "B", "molap": "C"}


def draw_fig2(
    performance: pd.DataFrame,
    examples: dict[str, dict[str, np.ndarray]],
    curves: pd.DataFrame,
    example_task: str,
    shown: Shown = NINE_TASKS,
) -> Figure:
    """Draw the whole figure.

    Args:
        performance: the table `performance`.
        examples: arrays of the example task by source (pre-trained first), as saved by the stage `example`.
        curves: training curves of the example task: source, network_seed, step, mse.
        example_task: the task in panels D and E.
        shown: the outputs of that task and the duration of its steps.
    """
    strategies = [name for name in PANELS if name in set(performance.strategy)]
    figure = new_figure(13.0, 2.9 + 4.1 * len(examples))
    parts = figure.subfigures(1 + len(examples), 1, height_ratios=[2.9] + [4.1] * len(examples), squeeze=False)[:, 0]
    widths = [{"molap": 2.2, "dni": 1.7}.get(name, 1) for name in strategies]
    panels = parts[0].subplots(1, len(strategies), width_ratios=widths, sharey=True, squeeze=False)[0]
    for axes, strategy in zip(panels, strategies, strict=True):
        _bars(axes, performance[performance.strategy == strategy], strategy)
        panel_letter(axes, PANELS[strategy])
    panels[0].set_ylabel("outputs correct (%)")
    parts[0].suptitle(_meaning(performance), size=8, x=0.01, ha="left")
    largest_error = max((example["error"][:, :2].max() for example in examples.values()), default=1.0)
    for letter, part, source in zip("DE", parts[1:], examples, strict=False):
        label = performance.loc[performance.task == example_task, "label"].iloc[0]
        part.suptitle(f"{letter}   {label}: {NAMES[source]}", weight="bold", x=0.01, ha="left")
        _detail(part, letter, examples[source], curves[curves.source == source], COLOURS[source], largest_error, shown)
    return figure


def _meaning(performance: pd.DataFrame) -> str:
    n_seeds, n_trials = performance.network_seed.nunique(), performance.n_test_trials.iloc[0]
    bars = (
        f"bars: mean and 95 % interval over {network_seeds(performance)}" if n_seeds > 1 else "bars: one network seed"
    )
    note = f"{bars}; {n_trials} test trials per task; black lines: best constant output"
    if "dni" in set(performance.strategy):
        note += "\nB: after the whole sequence of tasks"
    return f"{note}; {CONFLICT}" if "norule" in set(performance.source) else note


def _interval(values: pd.Series) -> tuple[float, float]:
    """Return a bar's 95 % interval by Student's t, within 0 and 100; a bootstrap of few networks is far too narrow."""
    half = half_width(values.std(), len(values))
    return max(values.mean() - half, 0.0), min(values.mean() + half, 100.0)


def _bars(axes: Axes, rows: pd.DataFrame, strategy: str) -> None:
    labels = list(dict.fromkeys(rows.label))
    sources = list(dict.fromkeys(rows.source))
    colours = {source: kind_colour(strategy, source) for source in sources}
    sns.barplot(
        rows,
        x="label",
        y="accuracy",
        hue="source",
        order=labels,
        hue_order=sources,
        palette=colours,
        errorbar=_interval if rows.network_seed.nunique() > 1 else None,
        ax=axes,
        legend=False,
        err_kws={"linewidth": 1, "color": "0.2"},
    )
    for bars, source in zip(axes.containers, sources, strict=False):
        bars.set_label(kind_name(strategy, source).replace("A pre-training", "A"))
    constant = rows.groupby("label").best_constant.first()[labels]
    axes.hlines(constant, np.arange(len(labels)) - 0.45, np.arange(len(labels)) + 0.45, color="black", lw=1.3)
    axes.set(xlabel="", ylabel="", ylim=(0, 105), title="" if len(sources) > 1 else kind_name(strategy, sources[0]))
    turn_long_labels(axes, labels)
    if len(sources) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, columnspacing=1, handlelength=1)


def _detail(
    part: SubFigure,
    letter: str,
    example: dict[str, np.ndarray],
    curves: pd.DataFrame,
    colour,
    largest_error: float | np.floating,
    shown: Shown,
) -> None:
    panels = part.subplots(2, 4).ravel()
    time = np.arange(example["outputs"].shape[0]) * shown.dt
    low, high = example["targets"].min(), example["targets"].max()
    limits = (low - 0.2 * (high - low), high + 0.2 * (high - low))
    for unused in panels[len(shown.titles) : 2], panels[2 + len(shown.titles) : 4]:
        for axes in unused:
            axes.set_axis_off()
    for i, title in enumerate(shown.titles):
        outputs, targets = example["outputs"][:, :TRACES, i], example["targets"][:, :TRACES, i]
        for trial, shade in enumerate(sns.light_palette(colour, TRACES + 2)[2:]):
            panels[i].plot(time, outputs[:, trial], color=shade, label="output" if trial == TRACES - 1 else None)
            panels[i].plot(
                time,
                targets[:, trial],
                "--",
                color=shade,
                lw=1,
                label="target" if trial == TRACES - 1 else None,
            )
        panels[i].set(title=f"{title}, {TRACES} trials", xlabel="time (ms)", ylabel="output", ylim=limits)
        panels[2 + i].bar(np.arange(1, len(example["error"]) + 1), example["error"][:, i], color=colour)
        panels[2 + i].set(title=f"error of output {i + 1}", xlabel="test trial", ylabel="MSE")
        panels[2 + i].set_ylim(0, 1.05 * largest_error)
    panels[0].legend(loc="lower left")
    for _, curve in curves.groupby("network_seed"):
        panels[4].plot(curve.step, curve.mse, color=colour, lw=1)
    panels[4].set(title="training loss", xlabel="step", ylabel="MSE", yscale="log")
    _matrix(part, panels[5], example["rates"].T, "rates, first trial", "time (ms)", "unit", 1.0, shown.dt)
    _matrix(part, panels[6], example["w_rec"], "recurrent weights", "from unit", "to unit")
    limit = np.abs(example["w_out"]).max()
    colours = sns.color_palette("colorblind", len(example["w_out"]))
    for i, (weights, shade) in enumerate(zip(example["w_out"], colours, strict=True)):
        panels[7].plot(weights, ".", ms=3, label=f"output {i + 1}", color=shade)
    panels[7].set(title="output weights", xlabel="unit", ylabel="weight", ylim=(-1.1 * limit, 1.5 * limit))
    if len(colours) <= MOST_NAMED:
        panels[7].legend(loc="upper left", ncols=2, handletextpad=0, columnspacing=1)
    for i, axes in enumerate(panels):
        if axes.axison:
            panel_letter(axes, f"{letter}{i + 1}")


def _matrix(part, axes: Axes, values, title: str, x: str, y: str, limit: float | None = None, step: float = 1) -> None:
    limit = limit or float(np.quantile(np.abs(values), 0.995))
    extent = (0, values.shape[1] * step, values.shape[0], 0)
    image = axes.imshow(
        values, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", extent=extent, interpolation="nearest"
    )
    part.colorbar(image, ax=axes, fraction=0.06, pad=0.02)
    axes.set(title=title, xlabel=x, ylabel=y)


def example_tables(examples: dict[str, dict[str, np.ndarray]]) -> dict[str, pd.DataFrame]:
    """Return the data of panels D and E as tidy tables by name, with the source as the first column."""
    made: dict[str, list[pd.DataFrame]] = {}

    def add(name: str, source: str, frame: pd.DataFrame) -> None:
        frame.insert(0, "source", source)
        made.setdefault(name, []).append(frame)

    for source, example in examples.items():
        axes = {
            "rates": ("step", "unit"),
            "w_rec": ("to_unit", "from_unit"),
            "w_out": ("output", "unit"),
            "error": ("trial", "output"),
        }
        for name, (rows, columns) in axes.items():
            add(name, source, _long(example[name], rows, columns, name))
        for trial in range(min(TRACES, example["outputs"].shape[1])):
            frame = _long(example["outputs"][:, trial], "step", "output", "value")
            frame["target"] = example["targets"][:, trial].ravel()
            frame.insert(0, "trial", trial)
            add("traces", source, frame)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in made.items()}


def _long(values: np.ndarray, rows: str, columns: str, name: str) -> pd.DataFrame:
    i, j = np.indices(values.shape)
    return pd.DataFrame({rows: i.ravel(), columns: j.ravel(), name: values.ravel()})
