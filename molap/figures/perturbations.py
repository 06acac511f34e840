"""Draw Figs 3, 4 and S1 to S5, and figures that make perturbations comparable.

The latter show lesions of the same size, curves relative to the intact network, and areas under the curves.
"""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from molap.analysis.intervals import half_width
from molap.config.perturbations import strength_of
from molap.figures.style import NINE_TASKS, Shown, kind_colour, kind_name, legend_below, new_figure, panel_letter
from molap.storage.paths import ALL_TASKS

AXES = {
    "inter_module": "inter-module weights lesioned",
    "whole": "weights lesioned, whole network",
    "noise": "σ of noise on all recurrent weights",
    "silence": "units silenced",
}
HEIGHTS = {"accuracy": "outputs correct (%)", "relative": "outputs correct (% of intact)"}
SHORT = {
    "inter_module": "inter-module weights",
    "whole": "all weights",
    "noise": "noise, σ",
    "silence": "units silenced",
}
TRACES = 3
BLOCKS = "modules of separate networks and DNI are the same blocks of units, not trained as modules"


def axis_label(perturbation: str) -> str:
    """Return the label of the strength axis of a perturbation, with its unit."""
    module = re.fullmatch(r"module(\d+)", perturbation)
    label = AXES.get(perturbation, f"module {module[1]} weights lesioned" if module else perturbation)
    unit = strength_of(perturbation).unit
    return f"{label} ({unit})" if unit else label


def mean_over(table: pd.DataFrame, labels: dict[str, str]) -> str:
    """Return a phrase that names the tasks over which a table of perturbed networks is averaged."""
    perturbed = [label for task, label in labels.items() if (table.task == task).any()]
    return "mean over tasks" if len(perturbed) == len(labels) else f"mean over {', '.join(perturbed)}"


def _short(perturbation: str) -> str:
    module = re.fullmatch(r"module(\d+)", perturbation)
    return SHORT.get(perturbation, f"module {module[1]} weights" if module else perturbation)


def summarise(table: pd.DataFrame, y: str, by: str = "strength") -> pd.DataFrame:
    """Return the mean over network seeds and its band's half-width, by kind, task, perturbation and strength.

    The band is the 95 % interval (Student's t) over network seeds or, with one seed, the standard deviation over draws.
    """
    names = ["strategy", "source", "n_units", "task", "perturbation", by]
    table = table.assign(half=table.get(f"{y}_sd", pd.Series(0.0, table.index)).fillna(0))
    # Two strengths may hit the same number of weights; they are then one point for each network.
    by_seed = table.groupby([*names, "network_seed"], sort=False, dropna=False)[[y, "half"]].mean().reset_index()
    rows = []
    for place, group in by_seed.groupby(names, sort=False):
        n, half = group[y].count(), group.half.iloc[0]
        if len(group) > 1:
            half = half_width(group[y].std(), n)
        rows.append(dict(zip(names, place, strict=True)) | {y: group[y].mean(), "half": half, "n_seeds": n})
    return pd.DataFrame(rows)


def meaning(table: pd.DataFrame) -> str:
    """Return a phrase that says what the bands show."""
    seeds, draws = table.network_seed.nunique(), table.n_draws.max()
    if seeds > 1:
        return f"lines and bands: mean and 95 % interval over {seeds} network seeds, each the mean of {draws} draws"
    return f"lines and bands: mean and standard deviation over {draws} random draws, one network seed"


def draw_curves(
    table: pd.DataFrame, panels: Sequence[Sequence[tuple[str, str]]], y: str, labels: dict[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Draw panels of performance against strength, and return the data that they show.

    Args:
        table: the table of `molap.analysis.robustness.robustness`.
        panels: rows of panels; each panel is a task and a perturbation.
        y: `accuracy` or `relative`.
        labels: task → T1 ….
    """
    columns = max(map(len, panels))
    figure = new_figure(0.6 + 3.1 * columns, 0.9 + 2.4 * len(panels))
    grid = figure.subplots(len(panels), columns, squeeze=False, sharey=True)
    shown = pd.concat(
        [table[(table.task == task) & (table.perturbation == name)] for row in panels for task, name in row]
    )
    data = summarise(shown, y)
    for i, row in enumerate(panels):
        for j, (task, name) in enumerate(row):
            axes = grid[i, j]
            _curves(axes, data[(data.task == task) & (data.perturbation == name)], y)
            if y == "accuracy":
                _constant(axes, shown[shown.task == task])
            title = mean_over(table, labels) if task == ALL_TASKS else labels[task]
            axes.set(xlabel=axis_label(name), title=title, ylabel=HEIGHTS[y] if j == 0 else "")
            panel_letter(axes, f"{chr(65 + i)}{j + 1}")
        for axes in grid[i, len(row) :]:
            axes.remove()
    grid[0, 0].set_ylim(*((0, 103) if y == "accuracy" else (0, 1.05 * (data[y] + data.half).max())))
    _legend_and_note(figure, grid[0, 0], meaning(shown), [name for row in panels for _, name in row])
    return figure, data


def _curves(axes: Axes, rows: pd.DataFrame, y: str) -> None:
    for (strategy, source, n), line in rows.groupby(["strategy", "source", "n_units"], sort=False):
        line = line.sort_values("strength")
        colour, label = kind_colour(strategy, source), f"{kind_name(strategy, source)} (N = {n})"
        axes.plot(line.strength, line[y], "o-", ms=3, lw=1.3, color=colour, label=label)
        _band(axes, line, y, colour)
    axes.locator_params(axis="x", nbins=4)


def _band(axes: Axes, line: pd.DataFrame, y: str, colour) -> None:
    low, high = (line[y] - line.half).clip(lower=0), line[y] + line.half
    high = high.clip(upper=100) if y == "accuracy" else high
    axes.fill_between(line.strength, low, high, color=colour, alpha=0.15, lw=0)


def _constant(axes: Axes, rows: pd.DataFrame) -> None:
    axes.axhline(rows.best_constant.mean(), ls="--", color="black", lw=1, label="best constant output")


def _legend_and_note(figure: Figure, axes: Axes, note: str, perturbations: Sequence[str]) -> None:
    legend_below(figure, axes, int(figure.get_figwidth() // 3))
    if any(name.startswith("module") or name == "inter_module" for name in perturbations):
        note += f"\n{BLOCKS}"
    figure.suptitle(note, size=8, x=0.01, ha="left")


def draw_fig3(
    table: pd.DataFrame,
    example: dict[str, np.ndarray],
    task: str,
    labels: dict[str, str],
    kind: str,
    strength: float,
    said: Shown = NINE_TASKS,
) -> tuple[Figure, dict[str, pd.DataFrame]]:
    """Draw Fig 3, a row per modular lesion: curves (a), then outputs (b, c) and errors (d, e) of one lesioned network.

    Args:
        table: the table of `molap.analysis.robustness.robustness`.
        example: the arrays saved by the stage `lesioned`.
        task: the task on which lesioned networks are shown.
        labels: task → T1 ….
        kind: the kind of the network in panels b to e.
        strength: the strength of its lesion, in percent.
        said: the outputs of the task and the duration of its steps.
    """
    names = example["perturbations"].tolist()
    shown = table[(table.task == task) & table.perturbation.isin(names)]
    data = summarise(shown, "accuracy")
    strategy, _, source = kind.partition("-")
    colour = kind_colour(strategy, source)
    figure = new_figure(15.0, 0.9 + 2.5 * len(names))
    grid = figure.subplots(len(names), 5, squeeze=False, width_ratios=[1.5, 1, 1, 1, 1])
    largest_error = example["error"][:, :, :2].max()
    extent = [_extent(example["outputs"][..., k], example["targets"][..., k]) for k in range(len(said.titles))]
    for i, name in enumerate(names):
        _curves(grid[i, 0], data[data.perturbation == name], "accuracy")
        _constant(grid[i, 0], shown)
        grid[i, 0].set(xlabel=axis_label(name), ylabel=HEIGHTS["accuracy"], ylim=(0, 103), title=labels[task])
        for unused in (*grid[i, 1 + len(said.titles) : 3], *grid[i, 3 + len(said.titles) :]):
            unused.set_axis_off()
        for output, title in enumerate(said.titles):
            outputs, targets = example["outputs"][i, ..., output], example["targets"][..., output]
            _traces(grid[i, 1 + output], outputs, targets, said.dt, colour)
            grid[i, 1 + output].set(title=f"{title}, {strength:g} % lesioned", ylim=extent[output])
            errors = example["error"][i, :, output]
            grid[i, 3 + output].bar(np.arange(1, len(errors) + 1), errors, color=colour)
            grid[i, 3 + output].set(title=f"error of output {output + 1}", xlabel="test trial", ylabel="MSE")
            grid[i, 3 + output].set_ylim(0, 1.05 * largest_error)
        for j, axes in enumerate(grid[i]):
            if axes.axison:
                panel_letter(axes, f"{chr(65 + i)}{'abcde'[j]}")
    grid[0, 1].legend()
    note = f"{meaning(shown)}; b to e: {kind_name(strategy, source)}, first draw; b, c: {TRACES} trials"
    _legend_and_note(figure, grid[0, 0], note, names)
    return figure, {"curves": data} | _example_tables(example, names)


def _traces(axes: Axes, outputs: np.ndarray, targets: np.ndarray, dt: float, colour) -> None:
    time = np.arange(len(outputs)) * dt
    for trial, shade in enumerate(sns.light_palette(colour, TRACES + 2)[2:]):
        last = trial == TRACES - 1
        if trial < outputs.shape[1]:
            axes.plot(time, outputs[:, trial], color=shade, label="output" if last else None)
            axes.plot(time, targets[:, trial], "--", color=shade, lw=1, label="target" if last else None)
    axes.set(xlabel="time (ms)", ylabel="output")


def _extent(outputs: np.ndarray, targets: np.ndarray) -> tuple[float | np.floating, float | np.floating]:
    """Return the limits of the y-axis for the trials shown, the same for all lesions."""
    shown = outputs[:, :, :TRACES], targets[:, :TRACES]
    low, high = min(values.min() for values in shown), max(values.max() for values in shown)
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _example_tables(example: dict[str, np.ndarray], names: list[str]) -> dict[str, pd.DataFrame]:
    traces, errors = [], []
    for i, name in enumerate(names):
        outputs = example["outputs"][i][:, :TRACES]
        step, trial, output = (index.ravel() for index in np.indices(outputs.shape))
        columns = {"perturbation": name, "trial": trial, "step": step, "output": output, "value": outputs.ravel()}
        traces.append(pd.DataFrame(columns | {"target": example["targets"][:, :TRACES].ravel()}))
        trial, output = (index.ravel() for index in np.indices(example["error"][i].shape))
        columns = {"perturbation": name, "trial": trial, "output": output, "error": example["error"][i].ravel()}
        errors.append(pd.DataFrame(columns))
    return {"traces": pd.concat(traces, ignore_index=True), "error": pd.concat(errors, ignore_index=True)}


def draw_matched(
    table: pd.DataFrame, tasks: Sequence[str], perturbations: Sequence[str], labels: dict[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Draw a column per kind of network and a row per task: accuracy against the share of all weights lesioned.

    Args:
        table: the table of `molap.analysis.robustness.robustness`.
        tasks: the tasks, one per row.
        perturbations: the lesions, one line each.
        labels: task → T1 ….
    """
    shown = table[table.task.isin(tasks) & table.perturbation.isin(perturbations)].copy()
    shown["share"] = 100 * shown.n_hit / shown.n_units**2
    data = summarise(shown, "accuracy", by="share").rename(columns={"share": "strength"})
    kinds = list(shown.groupby(["strategy", "source"], sort=False).groups)
    figure = new_figure(0.6 + 2.6 * len(kinds), 0.9 + 2.6 * len(tasks))
    grid = figure.subplots(len(tasks), len(kinds), squeeze=False, sharex=True, sharey=True)
    shades = dict(zip(perturbations, sns.color_palette("Dark2", len(perturbations)), strict=True))
    for i, task in enumerate(tasks):
        for j, (strategy, source) in enumerate(kinds):
            axes = grid[i, j]
            for name in perturbations:
                own = (data.task == task) & (data.perturbation == name)
                line = data[own & (data.strategy == strategy) & (data.source == source)].sort_values("strength")
                label = _short(name)
                axes.plot(line.strength, line.accuracy, "o-", ms=3, lw=1.3, color=shades[name], label=label)
                _band(axes, line, "accuracy", shades[name])
            _constant(axes, shown[shown.task == task])
            axes.set(xlabel="weights lesioned (% of all)" if i == len(tasks) - 1 else "", ylim=(0, 103))
            if i == 0:
                axes.set_title(kind_name(strategy, source), size="small")
            if j == 0:
                axes.set_ylabel(
                    f"{mean_over(table, labels) if task == ALL_TASKS else labels[task]}\n{HEIGHTS['accuracy']}"
                )
            panel_letter(axes, f"{chr(65 + i)}{j + 1}")
    _legend_and_note(figure, grid[0, 0], meaning(shown), perturbations)
    return figure, data.rename(columns={"strength": "percent_of_all_weights"})


def draw_areas(table: pd.DataFrame, perturbations: Sequence[str], labels: dict[str, str]) -> Figure:
    """Draw the area under the curve by perturbation and kind, averaged over tasks: of accuracy, and relative to intact.

    Args:
        table: the table of `molap.analysis.robustness.areas`.
        perturbations: the perturbations, in the order of the figure.
        labels: task → T1 ….
    """
    rows = table[table.task == ALL_TASKS]
    kinds = list(rows.groupby(["strategy", "source"], sort=False).groups)
    figure = new_figure(1.2 + 1.6 * len(perturbations), 5.6)
    grid = figure.subplots(2, 1, sharex=True)
    several = rows.network_seed.nunique() > 1
    heights = {"area": "mean accuracy over\nthe strengths (%)", "relative_area": "relative to\nthe intact network (%)"}
    for k, (axes, (column, label)) in enumerate(zip(grid, heights.items(), strict=True)):
        for j, (strategy, source) in enumerate(kinds):
            own = rows[(rows.strategy == strategy) & (rows.source == source)]
            data = summarise(own.assign(strength=0.0), column).set_index("perturbation").reindex(list(perturbations))
            x = np.arange(len(perturbations)) + (j - (len(kinds) - 1) / 2) * 0.8 / len(kinds)
            colour, half = kind_colour(strategy, source), data.half if several else None
            axes.errorbar(x, data[column], half, fmt="o", color=colour, label=kind_name(strategy, source))
        axes.set(ylabel=label)
        axes.grid(axis="y", lw=0.4)
        panel_letter(axes, "AB"[k])
    up_to = rows.groupby("perturbation").up_to.first()
    ticks = [f"{_short(name)}\nup to {up_to[name]:g} {strength_of(name).unit}".rstrip() for name in perturbations]
    grid[1].set_xticks(range(len(perturbations)), ticks)
    seeds = rows.network_seed.nunique()
    note = f"bars: 95 % interval over {seeds} network seeds" if several else "one network seed"
    note = f"{mean_over(table, labels)}; area under the curve divided by its width; {note}"
    _legend_and_note(figure, grid[0], note, ["module"])
    return figure
