"""How the effects behind claims move when one reading is switched at a time."""

from collections.abc import Mapping

import pandas as pd

from molap.claims.model import Claims
from molap.claims.verdicts import interval, measured


def attribution(claims: Claims, runs: Mapping[str, Mapping[str, pd.DataFrame]], none: str) -> pd.DataFrame:
    """One row per part of a claim and switch.

    Args:
        claims: those that are followed.
        runs: tables by name, by switch.
        none: the switch that switches nothing.

    Returns:
        claim, part, must_be, switch, mean effect with its interval over network seeds, its change against `none` with
        its interval (paired by seed), number of seeds, verdict of the part among those of its claim.
    """
    rows = []
    for claim in claims.claims:
        found = {switch: measured(claim, claims, tables) for switch, tables in runs.items()}
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
