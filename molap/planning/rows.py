"""What a row says of a table (`tables.py`) or a figure (`figures.py`): what the workflow must know beside its program.

The program is the module of the same name in `molap.stages`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from molap.config.run import RunConfig

Files = dict[str, str]
Reads = Callable[[Any, Any], Files]
"""What a job reads, by the names that its program uses: a function of the `Inputs` and of the job's wildcards."""

PAPER, FURTHER = "Figures of the paper", "Further figures"
"""Headings of figures in the report."""


class Table(NamedTuple):
    """A table, which one job of a run makes."""

    contents: str
    """What it holds, as `results/README.md` and the report say it."""
    message: str
    """What Snakemake prints while it is made."""
    reads: Reads
    settings: Callable[[RunConfig], dict] = lambda c: {}
    """The part of the configuration on which it depends."""
    wanted: Callable[[RunConfig], bool] = lambda c: True
    """Whether the default target makes it."""
    template: str | None = None
    """Its path below `results/`; none: `{run}/tables/NAME.csv`."""
    as_page: bool = True
    """Whether the report shows it as a page; else it offers the file."""


class Figure(NamedTuple):
    """A figure, which one job of a run draws."""

    title: str
    """Its name in the report."""
    caption: str
    """The text below it in the report, in reStructuredText; `{example_task}` is that of the configuration."""
    contents: str
    """What it shows, as `results/README.md` says it."""
    reads: Reads
    settings: Callable[..., dict] = lambda c, **_: {}
    """The part of the configuration on which it depends; of the configuration and of the job's wildcards."""
    readings: tuple[str, ...] = ()
    """Keys of the configuration that a reader of the figure must know; the caption gives their values."""
    seeds: Callable[[RunConfig], str] | None = None
    """What the caption says of network seeds."""
    panels: tuple[str, ...] = ()
    """Panels whose data have a file of their own, `NAME_PANEL.csv`; none: all data are in `NAME.csv`."""
    wanted: Callable[[RunConfig], bool] = lambda c: True
    """Whether the default target draws it."""
    category: str = FURTHER
    template: str | None = None
    """Its path below `results/`; none: `{run}/figures/NAME.png`."""


def never(c: RunConfig) -> bool:
    """Say that the default target leaves a table or figure out: a target of its own makes it."""
    return False


def tables(*same: str, **names: str) -> Reads:
    """Return a function that finds tables of the job's run, by name, or by the name that its program uses."""
    wanted = {name: name for name in same} | names
    return lambda inputs, w: inputs.tables(w, wanted)
