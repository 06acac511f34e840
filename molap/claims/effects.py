"""The effect of a test in every network: series of a table, combined by the test's expressions."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from molap.claims.functions import TEST_FUNCTIONS, NotThere
from molap.claims.model import Claims, Test, names_in
from molap.config.base import ConfigError

SEED = "network_seed"
CALLED = {
    "high": lambda *values: pd.concat(values, axis=1).max(axis=1),
    "low": lambda *values: pd.concat(values, axis=1).min(axis=1),
    "log10": np.log10,
    "abs": np.abs,
}
"""What the names in `model.FUNCTIONS` do."""


def effects(test: Test, claims: Claims, tables: Mapping[str, pd.DataFrame], value: str | None = None) -> pd.DataFrame:
    """The effects of a test.

    Args:
        test: one of the claims'.
        claims: the file it is from.
        tables: the run's tables by name.
        value: instead of the test's own.

    Returns:
        Row network seed (only one, -1, for tables without seeds), column part of the test.

    Raises:
        NotThere: if the table is not there, or has no rows for one of the series.
        ConfigError: if the test names a column that the table does not have.
    """
    if test.table not in tables:
        raise NotThere(f"the table {test.table} was not made")
    table = tables[test.table]
    if test.where:
        table = _query(table, test.where, test.table)
    if SEED not in table:
        table = table.assign(**{SEED: -1})
    table = table.assign(value_=_evaluate(table, value or test.value, test.table).astype(float))
    for column in test.each:
        if column not in table:
            raise ConfigError(_no_column(test.table, repr(column), "each", table))
    queries = claims.series | test.series
    keys = [SEED, *test.each]

    def series(name: str) -> pd.Series:
        rows = _query(table, queries[name], test.table)
        if rows.empty:
            raise NotThere(f"no network of {name!r} in the table {test.table}: {queries[name]}")
        return rows.groupby(keys, sort=False).value_.mean()

    if test.function:
        return TEST_FUNCTIONS[test.function](series, test)
    found = {}
    for name, expression in test.effects.items():
        columns = pd.concat({n: series(n) for n in names_in(expression)}, axis=1).dropna()
        if columns.empty:
            raise NotThere(f"{expression}: the series have no {' and '.join(keys)} in common in the table {test.table}")
        code = compile(expression, "<claim>", "eval")
        parts = eval(code, {"__builtins__": {}}, CALLED | {n: columns[n] for n in columns})  # checked by names_in
        if test.reduce:
            found[name] = parts.groupby(SEED).agg(test.reduce)
        elif test.each:
            wide = parts.unstack(list(test.each))  # noqa: PD010 (a series has no pivot_table)
            found |= {f"{name}, {_words(part)}": wide[part] for part in wide}
        else:
            found[name] = parts
    return pd.DataFrame(found).sort_index()


def _words(part: object) -> str:
    parts = part if isinstance(part, tuple) else (part,)
    return " ".join(str(word) for word in parts if word != "-")


def _query(table: pd.DataFrame, query: str, name: str) -> pd.DataFrame:
    return table[_evaluate(table, query, name)]


def _evaluate(table: pd.DataFrame, expression: str, name: str) -> pd.Series:
    try:
        return table.eval(expression, engine="python")
    except pd.errors.UndefinedVariableError as error:
        missing = str(error).split("'")[1]
        raise ConfigError(_no_column(name, repr(missing), expression, table)) from None
    except (SyntaxError, TypeError, ValueError) as error:
        raise ConfigError(f"claims: {expression!r} cannot be read over the columns of {name}: {error}") from None


def _no_column(table: str, column: str, where: str, values: pd.DataFrame) -> str:
    return f"claims: the table {table} has no column {column} (in {where!r}); it has {', '.join(values.columns)}"
