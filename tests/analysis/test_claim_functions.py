"""Test functions of claims: differences between methods, and T7 against each other task."""

import itertools

import numpy as np
import pandas as pd
import pytest
from claim_tables import MOLAP, NONE, TASKS, claims, comparison, judged, performance
from scipy import stats

from molap.claims.verdicts import HOLDS, OPEN

GAP = {"table": "performance", "each": ["label"], "function": "difference_of_hard_less_easy", "above": 0}
THREE = {MOLAP: 90, ("separate", "-"): 90, ("dni", "rule"): 90}


def test_the_difference_between_methods_on_hard_and_easy_tasks():
    table = performance(THREE, spread=0)
    table.loc[(table.strategy == "dni") & table.label.isin(TASKS[4:]), "accuracy"] -= 10
    table.loc[(table.strategy == "dni") & (table.label == "T1"), "accuracy"] += 4
    row = judged(claims(GAP), table)
    assert row.verdict == HOLDS and row["mean"] == pytest.approx((2 * 10**2) / 3 - (2 * 4**2) / 3 / 4)


def squared_differences(table):
    """By task, the mean product of the differences in two networks, over pairs of networks and of methods."""
    found = {}
    for label, own in table.groupby("label"):
        by = own.pivot_table(index="network_seed", columns="strategy", values="accuracy")
        products = [
            (by[a] - by[b])[s] * (by[a] - by[b])[t]
            for a, b in itertools.combinations(by, 2)
            for s, t in itertools.permutations(by.index, 2)
        ]
        found[label] = np.mean(products)
    return np.mean([found[label] for label in TASKS[4:]]) - np.mean([found[label] for label in TASKS[:4]])


def test_the_difference_s_interval_is_the_jackknife_s():
    table = performance({MOLAP: 90, ("separate", "-"): 80, ("dni", "rule"): 86}, n_seeds=5, spread=0)
    table["accuracy"] += np.random.default_rng(3).normal(0, 6, len(table))
    whole = squared_differences(table)
    without = [squared_differences(table[table.network_seed != seed]) for seed in range(5)]
    values = 5 * whole - 4 * np.array(without)
    exact = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    row = judged(claims(GAP), table)
    np.testing.assert_allclose([row["mean"], row.low, row.high], [whole, exact.low, exact.high])


@pytest.mark.parametrize("plateau", [False, True])
def test_noise_of_hard_tasks_is_no_difference(plateau):
    """Methods are alike on all tasks, but networks differ more on hard ones, or stay on a plateau there by chance."""
    verdicts = []
    for seed in range(40):
        table, rng = performance(THREE, spread=0), np.random.default_rng(seed)
        hard = ~table.label.isin(TASKS[:4])
        table["accuracy"] += rng.normal(0, 1, len(table))
        table["accuracy"] -= hard * (30 * (rng.random(len(table)) < 0.3) if plateau else rng.normal(0, 4, len(table)))
        verdicts.append(judged(claims(GAP), table).verdict)
    assert verdicts.count(HOLDS) <= 2


def test_two_networks_decide_nothing():
    table = performance({MOLAP: 90, NONE: 10}, n_seeds=2)
    assert judged(claims(comparison()), table).verdict == OPEN
    assert judged(claims(GAP), performance(THREE, n_seeds=2)).verdict == OPEN


def test_t7_is_compared_with_each_other_task():
    rows = [
        {"label": label, "network_seed": seed, "source": "cca", "difference": -9.0 if label == "T7" else -1.0 - seed}
        for label in TASKS
        for seed in range(5)
    ]
    test = {
        "table": "generalisation",
        "series": {"left_out": "source == 'cca'"},
        "value": "difference",
        "each": ["label"],
        "function": "t7_less_each_other",
        "below": 0,
    }
    row = judged(claims(test), pd.DataFrame(), generalisation=pd.DataFrame(rows))
    assert (row.verdict, row.n_parts) == (HOLDS, 8) and row["mean"] == pytest.approx(-6)


def test_t7_alone_is_compared_with_nothing():
    row = {"label": "T7", "network_seed": 0, "source": "cca", "difference": 1.0}
    test = {"table": "generalisation", "series": {"left_out": "source == 'cca'"}, "each": ["label"], "below": 0}
    file = claims(test | {"value": "difference", "function": "t7_less_each_other"})
    assert (
        judged(file, pd.DataFrame(), generalisation=pd.DataFrame([row])).part == "T7 and another task were not left out"
    )
