"""Tables whose truth is known, and claims about them."""

import numpy as np
import pandas as pd

from molap.claims.model import Claims
from molap.claims.verdicts import judge
from molap.config.base import check

TASKS = [f"T{k}" for k in range(1, 10)]
MOLAP, NONE = ("molap", "cca"), ("molap", "none")


def performance(means, n_seeds=10, spread=1.0, seed=0, n_copies=1):
    """A table with the given mean accuracy by (strategy, source) and a spread over networks; rows may be repeated."""
    rng = np.random.default_rng(seed)
    rows = []
    for (strategy, source), mean in means.items():
        for network_seed in range(n_seeds):
            shift = rng.normal(0, spread)
            for label in TASKS:
                row = {"strategy": strategy, "source": source, "label": label, "network_seed": network_seed}
                rows += [row | {"accuracy": mean + shift, "decision_accuracy": mean - 20 + shift}] * n_copies
    return pd.DataFrame(rows)


def claims(*tests, **more):
    claim = {"claim": 1, "place": "here", "says": "so", "figures": ["fig2"], "tests": list(tests)}
    series = {
        "molap": "strategy == 'molap' and source == 'cca'",
        "none": "strategy == 'molap' and source == 'none'",
        "separate": "strategy == 'separate'",
        "dni": "strategy == 'dni'",
    }
    return check(Claims, {"series": series, "claims": [claim]} | more)


def comparison(**limits):
    return {"table": "performance", "effects": {"less none": "molap - none"}} | (limits or {"above": 0})


def judged(file, table, **tables):
    return judge(file, {"performance": table} | tables)[0].iloc[0]
