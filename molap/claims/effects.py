"""Compute the effect of a test in every network, by combining series of a table with the test's expressions."""

import ast
import functools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from molap.claims.functions import TEST_FUNCTIONS, NotThere
from molap.claims.model import Claims, Test, names_in, with_floats
from molap.config.base import ConfigError

SEED = "network_seed"
CALLED = {
    "high": lambda *values: functools.reduce(np.maximum, values),
    "low": lambda *values: functools.reduce(np.minimum, values),
    "log10": np.log10,
    "abs": np.abs,
}
"""The functions behind the names in `model.FUNCTIONS`."""


def effects(
    test: Test, claims: Claims, tables: Mapping[str, pd.DataFrame], value: str | None = None
) -> dict[str, pd.DataFrame]:
    """Return the effects of a test.

    Args:
        test: a test of one of the claims.
        claims: the claims file that contains it.
        tables: the run's tables by name.
        value: the value to use in place of the test's own.

    Returns:
        Tables by name of the effect (empty for a function). Each has one row per network seed (a single row, -1, for
        tables without seeds) and one column per part (with an empty name if there is only one).

    Raises:
        NotThere: if the table does not exist, or lacks what the test compares.
        ConfigError: if an expression cannot be evaluated over its columns.
    """
    if test.table not in tables:
        raise NotThere(f"the table {test.table} was not made")
    table, rows = tables[test.table], claims.rows(test)
    if rows:
        table = _query(table, rows, test.table)
        if table.empty:
            raise NotThere(f"the table {test.table} has no rows where {rows}")
    if SEED not in table:
        table = table.assign(**{SEED: -1})
    table = table.assign(value_=_numbers(table, value or test.value, test.table))
    queries = claims.series | test.series
    keys = [SEED, *test.each]

    def series(name: str) -> pd.Series:
        rows = _query(table, queries[name], test.table)
        if rows.empty:
            raise NotThere(f"the table {test.table} has no rows of {name!r} ({queries[name]})")
        for column, needed in test.needs.items():
            missing = [f"{of}" for of in needed if of not in set(rows[column])]
            if missing:
                raise NotThere(f"the table {test.table} has no rows of {name!r} with {column} {', '.join(missing)}")
            whole = [seed for seed, own in rows.groupby(SEED)[column] if {*needed} <= {*own}]
            if not whole:
                raise NotThere(f"in the table {test.table} no network of {name!r} has every {column} that is needed")
            rows = rows[rows[SEED].isin(whole)]
        if wrong := int((~np.isfinite(rows.value_)).sum()):
            raise NotThere(
                f"the table {test.table} has no finite {value or test.value} of {name!r} in {wrong} of {len(rows)} rows"
            )
        return rows.groupby(keys, sort=False).value_.mean()

    if test.function:
        return {"": TEST_FUNCTIONS[test.function](series).sort_index()}
    found = {}
    for name, expression in test.effects.items():
        columns = pd.concat({n: series(n) for n in names_in(expression)}, axis=1).dropna()
        if columns.empty:
            raise NotThere(f"{expression}: the series have no {' and '.join(keys)} in common in the table {test.table}")
        code = compile(with_floats(expression), "<claim>", "eval")
        with np.errstate(all="ignore"):  # values that are not finite are reported below
            values = eval(code, {"__builtins__": {}}, CALLED | {n: columns[n] for n in columns})  # checked by names_in
        if wrong := int((~np.isfinite(values)).sum()):
            raise NotThere(f"{expression} is not a finite number in {wrong} of {len(values)} cases")
        wide = values.unstack(list(test.each)) if test.each else values.to_frame("")  # noqa: PD010 (a series)
        found[name] = wide.set_axis([_words(part) for part in wide], axis=1).sort_index()
    return found


def check_corpus(test: Test, tables: Mapping[str, pd.DataFrame]) -> None:
    """Raise NotThere if the test is about a corpus of other tasks than the run's.

    Args:
        test: a test of one of the claims.
        tables: the run's tables by name, with all networks.
    """
    if not test.corpus:
        return
    if "performance" not in tables:
        raise NotThere("the table performance, which names the run's tasks, was not made")
    found = list(dict.fromkeys(tables["performance"].label))
    if {*found} != {*test.corpus}:
        raise NotThere(f"the run's tasks are {', '.join(found)}; the claim is about {', '.join(test.corpus)}")


def _words(part: object) -> str:
    parts = part if isinstance(part, tuple) else (part,)
    return " ".join(str(word) for word in parts if word != "-")


def _query(table: pd.DataFrame, query: str, name: str) -> pd.DataFrame:
    found = _evaluate(table, query, name)
    if not (isinstance(found, pd.Series) and pd.api.types.is_bool_dtype(found)):
        raise ConfigError(f"claims: {query!r} does not select rows of {name}; give a comparison")
    return table[found]


def _numbers(table: pd.DataFrame, expression: str, name: str) -> pd.Series:
    found = _evaluate(table, expression, name)
    try:
        return found.astype(float)
    except (AttributeError, ValueError):
        raise ConfigError(f"claims: {expression!r} is not a number in every row of {name}") from None


PLAIN = (
    *(ast.Expression, ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Name, ast.Constant, ast.List, ast.Tuple),
    *(ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop),
)
"""An expression over columns may contain only these. Pandas would also call methods, which can write files, and
functions of any module that an `@` reaches."""


def _evaluate(table: pd.DataFrame, expression: str, name: str) -> pd.Series:
    try:
        odd = [node for node in ast.walk(ast.parse(expression.strip(), mode="eval")) if not isinstance(node, PLAIN)]
    except (SyntaxError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"claims: {expression!r} cannot be read over the columns of {name}: {reason}") from None
    if odd:
        raise ConfigError(
            f"claims: {expression!r} cannot be read over the columns of {name}: columns, numbers, text, lists, "
            "arithmetic and comparisons are allowed, calls and attributes are not"
        )
    try:
        return table.eval(expression, engine="python")
    except (
        AttributeError,
        SyntaxError,
        TypeError,
        ValueError,
        NotImplementedError,
        pd.errors.UndefinedVariableError,
    ) as error:
        raise ConfigError(f"claims: {expression!r} cannot be read over the columns of {name}: {error}") from None
