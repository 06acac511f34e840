"""Pages that are rendered from the committed tables, or from tables with other results."""

import re
from pathlib import Path

import pandas as pd

from molap.gathering.reference import pages
from molap.gathering.statements import Evidence

REPOSITORY = Path(__file__).parents[2]
SEED = "network_seed"
COMMITTED = Evidence(REPOSITORY)
GAPS = re.compile(r"\bnan\b|\bNone\b|(?<!\S)\(?– (%|points|times)|\b(0|no|none) of (0|no)\b|no networks\b")
"""Find what no sentence may hold."""


def prose(page):
    """A page without its tables, in which a dash stands for what was not run."""
    return flat("\n".join(line for line in page.splitlines() if not line.startswith("|")))


def rendered(name="findings", **replaced):
    """A page, with some tables of the reference replaced."""
    tables = {("reference", table): frame for table, frame in replaced.items()}
    (page,) = pages(COMMITTED.but(tables), [name]).values()
    return page()


def committed(name, folder="reference"):
    """A copy of a table, without the column that `Evidence` adds."""
    table = COMMITTED.table(name, folder).copy()
    return table.drop(columns="kind") if "source" in table else table


def flat(page):
    return " ".join(page.split())


def shifted(strategy, source, by, column="accuracy"):
    table = committed("performance")
    rows = (table.strategy == strategy) & (table.source == source)
    table.loc[rows, column] = table.loc[rows, column] + by
    return table


def bullet(page, words):
    """The item of a list that holds some words."""
    items = re.split(r"\n(?=- |\n)", page)
    (found,) = [flat(item) for item in items if words in flat(item)]
    return found


def seeds_of(n):
    """The tables with n network seeds: fewer, or with copies of those there are under other numbers."""
    found = {}
    for name in (
        "performance",
        "areas",
        "generalisation",
        "forgetting",
        "robustness",
        "learning",
        "continual",
        "modules",
    ):
        table = committed(name)
        every = sorted(table[SEED].unique())
        parts = [table[table[SEED] == every[seed % len(every)]].assign(**{SEED: seed}) for seed in range(n)]
        found[name] = pd.concat(parts, ignore_index=True)
    return found


def changed(name, column, change):
    """A copy of a table of the reference in which a column is changed."""
    table = committed(name)
    return table.assign(**{column: change(table[column])})
