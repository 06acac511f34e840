"""The rows of tables (`tables.py`) and figures (`figures.py`): what the workflow must know besides their programs.

The program is the module of the same name in `molap.stages`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from molap.config.run import RunConfig

Files = dict[str, str]
Reads = Callable[[Any, Any], Files]
"""(`Inputs`, a job's wildcards) → the files that the job reads, by the names that its program uses."""

PAPER, FURTHER = "Figures of the paper", "Further figures"
"""Headings of the figures in the report."""


class Table(NamedTuple):
    """A table, which one job of a run makes."""

    contents: str
    """The contents, as stated in `results/README.md` and the report."""
    message: str
    """The message that Snakemake prints while it is made."""
    reads: Reads
    settings: Callable[[RunConfig], dict] = lambda c: {}
    """The part of the configuration on which it depends."""
    wanted: Callable[[RunConfig], bool] = lambda c: True
    """Return whether the default target makes it."""
    template: str | None = None
    """Its path below `results/`; if None, `{run}/tables/NAME.csv`."""
    as_page: bool = True
    """Show the table as a page of the report; otherwise the report offers the file."""


class Figure(NamedTuple):
    """A figure, which one job of a run draws."""

    title: str
    """Its name in the report."""
    caption: str
    """The text below it in the report, in reStructuredText; `{example_task}` is replaced by the configuration's."""
    contents: str
    """The contents, as stated in `results/README.md`."""
    reads: Reads
    settings: Callable[..., dict] = lambda c, **_: {}
    """(configuration, wildcards of the job) → the part of the configuration on which it depends."""
    readings: tuple[str, ...] = ()
    """Keys of the configuration that a reader of the figure must know; the caption gives their values."""
    seeds: Callable[[RunConfig], str] | None = None
    """The caption's statement about network seeds."""
    panels: tuple[str, ...] = ()
    """Panels whose data have their own file, `NAME_PANEL.csv`; if empty, all data are in `NAME.csv`."""
    wanted: Callable[[RunConfig], bool] = lambda c: True
    """Return whether the default target draws it."""
    category: str = FURTHER
    template: str | None = None
    """Its path below `results/`; if None, `{run}/figures/NAME.png`."""


def never(c: RunConfig) -> bool:
    """Return False: the default target omits the table or figure, and a target of its own makes it."""
    return False


def tables(*same: str, **names: str) -> Reads:
    """Return a function that finds tables of a job's run, under their names or those that its program uses."""
    wanted = {name: name for name in same} | names
    return lambda inputs, w: inputs.tables(w, wanted)
