"""Measure how the effects behind claims change when one reading at a time is switched."""

from collections.abc import Mapping

import pandas as pd

from molap.claims.model import Claims
from molap.claims.verdicts import interval, measured


def with_its_own_dni(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which the only kind of DNI has the source `rule`, the native input that the claims name.

    If a switch uses another input, that input is the reading whose effect is measured.
    """
    if "strategy" not in table:
        return table
    dni = table.strategy == "dni"
    sources = {*table.source[dni]}
    return table.assign(source=table.source.mask(dni, "rule")) if len(sources) == 1 else table


def attribution(claims: Claims, runs: Mapping[str, Mapping[str, pd.DataFrame]], none: str) -> pd.DataFrame:
    """Return one row per part of a claim and switch.

    Args:
        claims: the claims to follow.
        runs: tables by name, by switch.
        none: the name of the switch that switches nothing.

    Returns:
        claim, part, must_be, switch, the mean effect with its interval over network seeds, its change from `none` with
        its interval (paired by seed), the number of seeds, and the verdict on the part as one of its claim's parts.
    """
    rows = []
    of_switch = {
        switch: {name: with_its_own_dni(table) for name, table in tables.items()} for switch, tables in runs.items()
    }
    for claim in claims.claims:
        found = {switch: measured(claim, claims, told) for switch, told in of_switch.items()}
        base = {part.name: part.values for part in found[none]}
        for switch, parts in found.items():
            for part in parts:
                row = {"claim": claim.claim, "part": part.name, "must_be": part.test.comparison, "switch": switch}
                row |= part.interval._asdict()
                change = (part.values - base.get(part.name, part.values.iloc[:0])).dropna().to_numpy()
                row |= dict(zip(("change", "change_low", "change_high"), interval(change), strict=True))
                row |= {"n_seeds": len(part.values) if part.seeded else 0, "verdict": part.verdict(len(parts))}
                rows.append(row | {"low_limit": part.test.limits[0], "high_limit": part.test.limits[1]})
    return pd.DataFrame(rows).sort_values(["claim", "part"], kind="stable", ignore_index=True)
