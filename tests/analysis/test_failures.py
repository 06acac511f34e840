"""Networks that failed, the claims without them, practical equality, and how many networks a decision takes."""

import numpy as np
import pandas as pd
import pytest
from claim_tables import MOLAP, NONE, claims, comparison, judged, performance
from scipy import stats

from molap.analysis.failures import failures, without_failures
from molap.claims.power import MOST, Spread, networks_needed
from molap.claims.verdicts import EQUAL, FAILS, HOLDS, LEARNED, OPEN, judge, verdict


def table_of(accuracies, constant=70.0, **columns):
    """Rows of one kind: accuracy by task, a network each."""
    rows = [
        {"strategy": "molap", "source": "cca", "task": task, "label": task, "network_seed": seed, "accuracy": value}
        for task, values in accuracies.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(best_constant=constant, **columns)


def test_networks_below_the_constant_output_are_counted():
    table = failures(table_of({"mem_pro": [95, 69.9, 70], "mem_dm1": [10, 20, 30]}))
    assert table.n_networks.tolist() == [3, 3] and table.n_failed.tolist() == [1, 3]
    assert table.lowest_accuracy.tolist() == [69.9, 10] and (table.best_constant == 70).all()


def test_rows_of_failed_networks_are_left_out_of_every_table():
    performed = table_of({"mem_pro": [95, 60], "mem_dm1": [90, 90]})
    swept = pd.concat([performed.assign(perturbation="noise", strength=s, accuracy=50.0) for s in (0, 1)])
    left_out = table_of({"mem_pro": [95, 95], "mem_dm1": [60, 95]}, n_left_out=1)
    whole = table_of({"mem_pro": [95, 60], "mem_dm1": [95, 95]}, n_left_out=0)
    tables = {"performance": performed, "robustness": swept, "areas": swept, "table1": swept}
    found = without_failures(tables | {"generalisation": pd.concat([left_out, whole]), "modules": performed})
    kept = [("mem_pro", 0), ("mem_dm1", 0), ("mem_dm1", 1)]
    names = {name: list(zip(table.task, table.network_seed, strict=True)) for name, table in found.items()}
    assert names["performance"] == names["modules"] == kept
    assert names["robustness"] == names["areas"] == 2 * kept and names["table1"] == 2 * [
        *kept[:1],
        ("mem_pro", 1),
        *kept[1:],
    ]
    none = without_failures({name: table.assign(accuracy=0.0) for name, table in found.items()})
    assert all(
        len(none[name]) == 0 and list(none[name]) == list(found[name]) for name in ("performance", "generalisation")
    )
    one = found["generalisation"].query("n_left_out == 1")
    assert list(zip(one.task, one.network_seed, strict=True)) == [("mem_pro", 0), ("mem_dm1", 1)]


def test_a_claim_is_also_judged_without_networks_that_failed():
    table = performance({MOLAP: 90, NONE: 85}, spread=0.5).assign(best_constant=75.0)
    lost = (table.source == "cca") & (table.label == "T5") & (table.network_seed < 3)
    table.loc[lost, "accuracy"] = 10
    test = comparison() | {"where": "label == 'T5'"}
    verdicts, parts = judge(claims(test, also_without_failures=True), {"performance": table})
    assert verdicts.verdict[0] == OPEN and verdicts[f"verdict_{LEARNED}"][0] == HOLDS
    assert parts.set_index(parts.by.fillna("")).n_seeds.to_dict() == {"": 10, LEARNED: 7}
    nothing_lost = judge(claims(test, also_without_failures=True), {"performance": table[~lost]})[1]
    assert nothing_lost.by.isna().all()


@pytest.mark.parametrize(
    ("mean", "spread", "limits", "more", "expected"),
    [
        (0.1, 0.5, {"above": 0}, {}, EQUAL),
        (-0.1, 0.5, {"below": 0}, {}, EQUAL),
        (0.1, 3, {"above": 0}, {}, OPEN),
        (0.1, 0.5, {"above": 0}, {"equality": False}, OPEN),
        (0.5, 0.3, {"above": 0}, {}, HOLDS),
        (-0.5, 0.3, {"above": 0}, {}, FAILS),
        (0.1, 0.5, {"above": 0.2}, {}, OPEN),
    ],
)
def test_an_open_difference_within_the_margin_is_practically_none(mean, spread, limits, more, expected):
    """The margin is about differences: limits other than 0, and other units, have no practical equality."""
    draws = np.random.default_rng(0).normal(size=20)
    draws = mean + spread * (draws - draws.mean()) / draws.std(ddof=1)
    table = performance({MOLAP: 0, NONE: 0}, n_seeds=20, spread=0)
    table["accuracy"] = np.where(table.source == "cca", draws[table.network_seed], 0.0)
    assert judged(claims(comparison(**limits) | more, margin=1), table).verdict == expected


def test_equality_is_that_of_two_one_sided_tests():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.normal(0.1, 1.5, 20)
        sides = [
            stats.ttest_1samp(values, side, alternative=way).pvalue for side, way in ((-1, "greater"), (1, "less"))
        ]
        one = verdict([values], (0.0, np.inf), 1, equal_within=1.0)
        if one in (EQUAL, OPEN):
            assert (one == EQUAL) == (max(sides) < 0.025)


@pytest.mark.parametrize(
    "part",
    [
        Spread(((0.5, 2.0),), (0.0, np.inf), None),
        Spread(((-0.5, 2.0),), (0.0, np.inf), None),
        Spread(((0.2, 2.0),), (0.0, np.inf), 1.0),
        Spread(((1.0, 4.0),), (-5.0, 5.0), None),
        Spread(((0.5, 2.0), (-9.0, 1.0), (-9.0, 1.0)), (0.0, np.inf), None),
        Spread(((-0.5, 2.0), (-9.0, 1.0), (-1.0, 2.0)), (0.0, np.inf), None),
    ],
)
def test_the_number_of_networks_that_would_decide_is_the_smallest_that_does(part):
    """Against the verdict itself, on that many values with these means and deviations."""

    def verdict_of(n):
        z = np.random.default_rng(n).normal(size=n)
        z = (z - z.mean()) / z.std(ddof=1)
        values = [mean + deviation * z for mean, deviation in part.effects]
        return verdict(values, part.limits, 1, equal_within=part.margin)

    n = int(networks_needed([part], 1))
    assert verdict_of(n) != OPEN and verdict_of(n - 1) == OPEN


def test_one_part_that_is_refuted_decides_and_otherwise_all_must_be():
    sure, slow, refuting = (Spread((effect,), (0.0, np.inf), None) for effect in ((5.0, 1.0), (0.5, 2.0), (-1.0, 2.0)))
    assert networks_needed([sure, slow], 2) == networks_needed([slow], 2)
    assert networks_needed([slow, refuting], 2) == networks_needed([refuting], 2) < networks_needed([slow], 2)
    assert networks_needed([Spread(((0.01, 1.0),), (0.0, np.inf), None)], 1) == np.inf > MOST
