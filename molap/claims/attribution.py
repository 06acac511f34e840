"""How the effects behind claims move when one reading is switched at a time."""

from collections.abc import Mapping

import pandas as pd

from molap.claims.effects import effects
from molap.claims.functions import NotThere
from molap.claims.model import Claims
from molap.claims.verdicts import NOT_RUN, interval, verdict


def attribution(claims: Claims, runs: Mapping[str, Mapping[str, pd.DataFrame]], none: str) -> pd.DataFrame:
    """One row per part of a claim and switch.

    Args:
        claims: those that are followed.
        runs: tables by name, by switch.
        none: the switch that switches nothing.

    Returns:
        claim, part, must_be, switch, mean effect with its interval over network seeds, its change against `none` with
        its interval (paired by seed), number of seeds, verdict.
    """
    rows = []
    for claim in claims.claims:
        for test in claim.tests:
            found = {}
            for switch, tables in runs.items():
                try:
                    found[switch] = effects(test, claims, tables)
                except NotThere as missing:
                    row = {"claim": claim.claim, "part": str(missing), "must_be": test.comparison}
                    rows.append(row | {"switch": switch, "verdict": NOT_RUN})
            for switch, table in found.items():
                for part in table:
                    values = table[part].dropna()
                    row = {"claim": claim.claim, "part": str(part), "must_be": test.comparison, "switch": switch}
                    row |= interval(values.to_numpy())._asdict()
                    if none in found and part in found[none]:
                        change = (values - found[none][part]).dropna()
                        names = ("change", "change_low", "change_high")
                        row |= dict(zip(names, interval(change.to_numpy()), strict=True)) if len(change) else {}
                    seeded = bool((values.index >= 0).all())
                    row |= {"n_seeds": len(values) if seeded else 0}
                    row["verdict"] = verdict(values.to_numpy(), test.limits, len(table.columns), seeded)
                    rows.append(row | {"low_limit": test.limits[0], "high_limit": test.limits[1]})
    table = pd.DataFrame(rows)
    return table.sort_values(["claim", "part"], kind="stable", ignore_index=True)
