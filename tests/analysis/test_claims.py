"""Verdicts on tables whose truth is known, and the statistics against SciPy."""

import numpy as np
import pandas as pd
import pytest
from claim_tables import MOLAP, NONE, TASKS, claims, comparison, judged, performance
from scipy import stats

from molap.claims.model import names_in
from molap.claims.page import markdown
from molap.claims.verdicts import FAILS, HOLDS, NOT_RUN, ONE, OPEN, decisive, interval, judge, parts_of, verdict


@pytest.mark.parametrize(
    ("means", "spread", "limits", "expected"),
    [
        ({MOLAP: 90, NONE: 80}, 1, {"above": 0}, HOLDS),
        ({MOLAP: 80, NONE: 90}, 1, {"above": 0}, FAILS),
        ({MOLAP: 90, NONE: 90}, 20, {"above": 0}, OPEN),
        ({MOLAP: 80, NONE: 90}, 1, {"below": 0}, HOLDS),
        ({MOLAP: 90, NONE: 90}, 0.5, {"within": [-5, 5]}, HOLDS),
        ({MOLAP: 90, NONE: 80}, 0.5, {"within": [-5, 5]}, FAILS),
        ({MOLAP: 90, NONE: 90}, 20, {"within": [-5, 5]}, OPEN),
        ({MOLAP: 90, NONE: 90}, 0, {"above": 0}, FAILS),
    ],
)
def test_a_claim_that_is_true_false_or_undecidable_by_construction_is_judged_so(means, spread, limits, expected):
    assert judged(claims(comparison(**limits)), performance(means, spread=spread)).verdict == expected


def test_with_one_network_there_is_no_verdict():
    row = judged(claims(comparison()), performance({MOLAP: 90, NONE: 10}, n_seeds=1))
    assert row.verdict == ONE and np.isnan(row.low) and row["mean"] == pytest.approx(80, abs=5)


def test_the_interval_is_scipy_s_of_differences_paired_by_seed():
    table = performance({MOLAP: 90, NONE: 85}, spread=8)
    row = judged(claims(comparison()), table)
    by_seed = table.groupby(["source", "network_seed"]).accuracy.mean()
    paired = stats.ttest_rel(by_seed["cca"], by_seed["none"]).confidence_interval(0.95)
    np.testing.assert_allclose([row.low, row.high], [paired.low, paired.high])
    assert row.n_seeds == 10


def test_rows_that_repeat_do_not_narrow_an_interval():
    narrow, wide = (
        judged(claims(comparison()), performance({MOLAP: 90, NONE: 89}, spread=3, n_copies=n)) for n in (1, 50)
    )
    np.testing.assert_allclose([narrow.low, narrow.high, narrow.n_seeds], [wide.low, wide.high, wide.n_seeds])


def test_more_seeds_do():
    few, many = (judged(claims(comparison()), performance({MOLAP: 90, NONE: 89}, n_seeds=n, spread=3)) for n in (5, 40))
    assert many.high - many.low < 0.6 * (few.high - few.low)


def test_false_claims_seldom_hold_and_true_ones_are_seldom_refuted():
    """At the edge of truth, each error has a chance of 2.5 % for one part; 400 tables, four standard deviations."""
    rng = np.random.default_rng(0)
    found = [verdict([rng.normal(0, 1, 8)], (0.0, np.inf), 1) for _ in range(400)]
    for error in (HOLDS, FAILS):
        assert found.count(error) / 400 < 0.025 + 4 * np.sqrt(0.025 * 0.975 / 400)
    # Nine parts at the edge: one of them refutes the claim as seldom as one alone.
    nine = [[verdict([rng.normal(0, 1, 8)], (0.0, np.inf), 9) for _ in TASKS] for _ in range(400)]
    assert np.mean([FAILS in parts for parts in nine]) < 0.025 + 4 * np.sqrt(0.025 * 0.975 / 400)
    # Nine of which one is enough: none is found by chance more often than one alone.
    some = [verdict([rng.normal(0, 1, 8) for _ in TASKS], (0.0, np.inf), 1) for _ in range(400)]
    assert some.count(HOLDS) / 400 < 0.025 + 4 * np.sqrt(0.025 * 0.975 / 400)


def test_all_parts_must_hold_and_the_one_that_does_not_is_told():
    table = performance({MOLAP: 90})
    table.loc[table.label == "T5", "accuracy"] -= 40
    file = claims({"table": "performance", "each": ["label"], "effects": {"MoLaP": "molap"}, "above": 70})
    row = judged(file, table)
    assert (row.verdict, row.part, row.n_parts, row.n_hold) == (FAILS, "MoLaP, T5", 9, 8)
    parts = parts_of(file.claims[0], file, {"performance": table})
    assert decisive(parts[parts.part != "MoLaP, T5"]).verdict == HOLDS


def behind(shift=0.0, spread=1.0, on="T3", n_seeds=10):
    """Separate networks that are worse on one task, with noise of every network's own on every task."""
    table = performance({MOLAP: 90, ("separate", "-"): 90}, spread=0, n_seeds=n_seeds)
    table["accuracy"] += np.random.default_rng(5).normal(0, spread, len(table))
    table.loc[(table.strategy == "separate") & (table.label == on), "accuracy"] += shift
    test = {"each": ["label"], "some": True, "effects": {"behind": "separate - molap"}, "below": -1}
    return claims({"table": "performance"} | test), table


def test_one_task_is_enough_where_some_must():
    row = judged(*behind(-30))
    assert (row.verdict, row.part, row.n_parts) == (HOLDS, "behind, best case T3", 1)
    _, table = behind(-30)
    by = table[table.label == "T3"].pivot_table(index="network_seed", columns="strategy", values="accuracy")
    exact = stats.ttest_rel(by.separate, by.molap).confidence_interval(1 - 0.05 / 9)
    np.testing.assert_allclose([row.low, row.high], [exact.low, exact.high])
    assert judged(*behind(-30, n_seeds=1)).verdict == ONE


def test_some_task_is_not_found_in_the_noise_of_many():
    """The worst task of every network is far below its mean, though no task is."""
    assert judged(*behind(0, spread=0.3)).verdict == FAILS
    assert judged(*behind(0, spread=5.0)).verdict == OPEN


def test_a_claim_about_all_tasks_takes_all_of_them():
    test = {"table": "performance", "each": ["label"], "effects": {"MoLaP": "molap"}, "above": 70}
    three = performance({MOLAP: 90}).query("label in ['T1', 'T2', 'T3']")
    assert judged(claims(test), three).verdict == HOLDS
    row = judged(claims(test | {"needs": {"label": TASKS}}), three)
    assert (row.verdict, row.part) == (
        NOT_RUN,
        "the table performance has no rows of 'molap' with label T4, T5, T6, T7, T8, T9",
    )


def test_a_network_that_lacks_some_of_the_tasks_is_left_out():
    test = {"table": "performance", "effects": {"MoLaP": "molap"}, "above": 70, "needs": {"label": TASKS}}
    table = performance({MOLAP: 90}, n_seeds=6, spread=0)
    table.loc[table.network_seed == 1, "accuracy"] = 0
    some = table[(table.network_seed != 1) | (table.label == "T9")]
    row = judged(claims(test), some)
    assert (row.verdict, row.n_seeds) == (HOLDS, 5) and row["mean"] == pytest.approx(90, abs=0.1)
    each = [
        part[part.label == label] for (seed, part), label in zip(table.groupby("network_seed"), TASKS, strict=False)
    ]
    row = judged(claims(test | {"needs": {"label": TASKS[:6]}}), pd.concat(each))
    assert row.part == "in the table performance no network of 'molap' has every label that is needed"


def test_a_part_that_refutes_does_so_beside_one_that_was_not_run():
    other = {"table": "performance", "effects": {"x": "dni"}, "above": 0}
    file = claims(other, comparison())
    assert judged(file, performance({MOLAP: 80, NONE: 90})).verdict == FAILS
    assert judged(file, performance({MOLAP: 90, NONE: 80})).verdict == NOT_RUN


def test_rows_can_be_those_of_several_series():
    test = {"table": "performance", "where": "({molap}) or ({none})", "series": {"all": "strategy == 'molap'"}}
    row = judged(
        claims(test | {"effects": {"x": "all"}, "above": 0}), performance({MOLAP: 90, ("molap", "pca"): 0, NONE: 80})
    )
    assert row["mean"] == pytest.approx(85, abs=2)


def test_expressions_are_those_of_numpy():
    table = performance({MOLAP: 90, NONE: 80, ("separate", "-"): 70}, n_seeds=4, spread=5)
    found = {}
    for expression in ("high(molap, none, separate) - low(molap, none)", "log10(molap) / -2", "abs(none - molap) ** 2"):
        test = {"table": "performance", "effects": {"x": expression}, "above": 0}
        found[expression] = judged(claims(test), table)["mean"]
    m, n, s = (table[table.source == source].groupby("network_seed").accuracy.mean() for source in ("cca", "none", "-"))
    expected = [
        np.mean(np.maximum(np.maximum(m, n), s) - np.minimum(m, n)),
        np.mean(np.log10(m) / -2),
        np.mean(np.abs(n - m) ** 2),
    ]
    np.testing.assert_allclose(list(found.values()), expected)


def test_counts_need_no_seeds():
    table = pd.DataFrame({"version": ["printed", "corrected"], "overall": [918000.0, 91800.0]})
    test = {
        "table": "table1",
        "series": {"printed": "version == 'printed'", "real": "version == 'corrected'"},
        "value": "overall",
        "effects": {"ratio": "printed / real"},
        "within": [0.9, 1.1],
    }
    row = judged(claims(test), pd.DataFrame(), table1=table)
    assert (row.verdict, row["mean"], row.n_seeds) == (FAILS, 10, 0)


def test_what_was_not_run_is_told():
    row = judged(claims(comparison()), performance({MOLAP: 90}))
    assert row.verdict == NOT_RUN and "'none'" in row.part
    assert judge(claims(comparison()), {})[0].iloc[0].part == "the table performance was not made"


def test_other_metrics_are_judged_beside_accuracy():
    file = claims({"table": "performance", "effects": {"MoLaP": "molap"}, "above": 80}, also_by=["decision_accuracy"])
    row = judged(file, performance({MOLAP: 90}))
    assert (row.verdict, row.verdict_decision_accuracy) == (HOLDS, FAILS)


def test_names_of_series_are_read_in_their_order():
    assert names_in("high(b, a) - 2 * -b") == ["b", "a"]


def test_the_page_has_every_claim_with_its_parts_and_figures():
    file = claims(comparison(), also_by=["decision_accuracy"])
    verdicts, parts = judge(file, {"performance": performance({MOLAP: 90, NONE: 80})})
    text = markdown("demo", verdicts, parts, {"fig2": "../figures/fig2.png"})
    assert "| 1. so | holds |" in text and "![fig2](../figures/fig2.png)" in text and "`performance.csv`" in text
    assert f"| less none | above 0 | {verdicts['mean'][0]:.2f} (" in text
    own, other = text.split("<details><summary>By <code>decision_accuracy</code></summary>")
    assert own.count("| less none | above 0 |") == other.count("| less none | above 0 |") == 1


def test_the_page_tells_what_a_part_says_alone_where_its_place_among_others_leaves_it_open():
    test = {"table": "performance", "each": ["label"], "effects": {"less none": "molap - none"}, "above": 0}
    table = performance({MOLAP: 90, NONE: 85}, spread=0, n_seeds=6)
    of_t3 = (table.label == "T3") & (table.source == "cca")
    table.loc[of_t3, "accuracy"] = 85 - np.array([1, 2, 1.5, 3, 0.2, 2.5])
    verdicts, parts = judge(claims(test), {"performance": table})
    row = parts[parts.part == "less none, T3"].iloc[0]
    assert (row.verdict, row.alone) == (OPEN, FAILS)
    effect = f"{row['mean']:.2f} ({row.low:.2f} to {row.high:.2f})"
    text = markdown("demo", verdicts, parts, {})
    assert f"| less none, T3 | above 0 | {effect} | 6 | {OPEN} (alone: {FAILS}) |" in text
    assert text.count("alone:") == 1


def test_an_interval_of_one_value_has_no_ends():
    assert np.isnan(interval(np.array([3.0])).low) and interval(np.array([1.0, 3.0])).mean == 2
