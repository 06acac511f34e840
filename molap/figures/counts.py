"""Draw Fig 1C and Table 1: all weights and trained weights, as printed, as corrected, and as counted."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from molap.figures.style import COLOURS, NAMES, new_figure, panel_letter

VERSIONS = {
    "printed": "as printed in Table 1",
    "corrected": "arithmetic corrected\n(N = 100, one input, one output)",
    "counted": "counted in the trained networks",
}
COUNTS = {
    "overall": "weights in all",
    "trained": "weights trained",
    "trained_per_task": "weights trained per task",
}


def draw_fig1c(table1: pd.DataFrame) -> Figure:
    """Draw bars on a logarithmic scale, one panel per version of the table.

    Args:
        table1: columns version, strategy, overall, trained, trained_per_task.
    """
    tidy = table1.melt(["version", "strategy"], list(COUNTS), var_name="count", value_name="weights")
    versions = [version for version in VERSIONS if version in set(tidy.version)]
    figure = new_figure(3.6 * len(versions), 3.4)
    panels = figure.subplots(1, len(versions), sharey=True, squeeze=False)[0]
    for letter, axes, version in zip("abc", panels, versions, strict=False):
        rows = tidy[tidy.version == version]
        strategies = [name for name in ("separate", "dni", "molap", "none") if name in set(rows.strategy)]
        sns.barplot(
            rows,
            x="count",
            y="weights",
            hue="strategy",
            hue_order=strategies,
            order=list(COUNTS),
            palette=COLOURS,
            ax=axes,
            legend=False,
        )
        for bars, strategy in zip(axes.containers, strategies, strict=True):
            bars.set_label(NAMES[strategy])
            axes.bar_label(bars, fmt=lambda value: f"{value:,.0f}", size=6.5, rotation=90, padding=3)
        axes.set(yscale="log", ylim=(50, 3e7), xlabel="", ylabel="number of weights", title=_title(version, table1))
        axes.set_xticks(range(len(COUNTS)), [name.replace(" per", "\nper") for name in COUNTS.values()])
        panel_letter(axes, letter)
    handles, names = panels[versions.index("corrected")].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4)
    return figure


def _title(version: str, table1: pd.DataFrame) -> str:
    """Return a panel's title, with the size of the counted DNI network if the table has that size."""
    dni = table1[table1.strategy == "dni"].set_index("version").overall
    sizes = [name.partition(", ")[2] for name in dni.index if version != name and name.startswith(f"{version}, ")]
    same = [size for size in sizes if dni[f"{version}, {size}"] == dni[version]]
    return VERSIONS[version] + "".join(f"\n(DNI: {size})" for size in same)
