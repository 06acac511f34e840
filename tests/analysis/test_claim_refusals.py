"""What a claims file may not hold is refused by its name."""

import pytest
from claim_tables import MOLAP, NONE, claims, comparison, judged, performance

from molap.config.base import ConfigError


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"value": "accuracies"},
            "the table performance has no column 'accuracies' (in 'accuracies'); it has strategy,",
        ),
        ({"where": "tusk == 'T1'"}, "the table performance has no column 'tusk'"),
        ({"each": ["tusk"]}, "the table performance has no column 'tusk'"),
        ({"needs": {"tusk": ["T1"]}}, "the table performance has no column 'tusk'"),
        ({"series": {"molap": "strat == 'molap'"}}, "the table performance has no column 'strat' (in \"strat == "),
        ({"where": "label == "}, "'label == ' cannot be read; give an expression over columns"),
        ({"where": "({mollap})"}, "where: '({mollap})' is not allowed; the braces name no series: 'mollap'"),
        ({"effects": {"x": "molap - dnj"}}, "there is no series 'dnj'; there are molap, none"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_its_claim_before_any_table_is_read(change, words):
    with pytest.raises(ConfigError) as refusal:
        claims(comparison() | change)
    assert f"claims: claim 1: {words}" in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"where": "label"}, "claims: 'label' does not select rows of performance; give a comparison"),
        ({"value": "label"}, "claims: 'label' is not a number in every row of performance"),
        (
            {"where": "[mse for mse in mse]"},
            "claims: '[mse for mse in mse]' cannot be read over the columns of performance: ",
        ),
        ({"where": "label + 1 == 2"}, "claims: 'label + 1 == 2' cannot be read over the columns of performance: "),
        (
            {"value": "accuracy if mse else mse"},
            "claims: 'accuracy if mse else mse' cannot be read over the columns of ",
        ),
    ],
)
def test_an_expression_of_the_wrong_kind_is_refused(change, words):
    with pytest.raises(ConfigError) as refusal:
        judged(claims(comparison() | change), performance({MOLAP: 90, NONE: 80}))
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"effects": {"x": "log10(none - 80)"}}, "log10(none - 80) is not a finite number in "),
        ({"effects": {"x": "molap / 0"}}, "molap / 0 is not a finite number in "),
        ({"where": "accuracy > 1000"}, "the table performance has no rows where accuracy > 1000"),
    ],
)
def test_no_network_is_left_out_of_a_verdict_without_a_word(change, words):
    row = judged(claims(comparison() | change), performance({MOLAP: 90, NONE: 80}))
    assert row.verdict == "not run" and row.part.startswith(words)


def test_a_network_without_a_value_is_not_left_out_either():
    table = performance({MOLAP: 90, NONE: 80})
    table.loc[table.index[table.strategy == "molap"][0], "accuracy"] = float("nan")
    row = judged(claims(comparison()), table)
    assert row.verdict == "not run" and row.part.startswith(
        "the table performance has no finite accuracy of 'molap' in 1 "
    )


def test_large_whole_numbers_are_computed_as_the_series_are():
    file = claims(comparison() | {"effects": {"x": "molap - none + log10(10 ** 30)"}})
    assert judged(file, performance({MOLAP: 90, NONE: 80}))["mean"] == pytest.approx(40, abs=2)


def test_the_highest_of_a_series_and_a_number_is_taken_in_each_network():
    row = judged(claims(comparison() | {"effects": {"x": "high(molap - none, 0)"}}), performance({MOLAP: 70, NONE: 80}))
    assert row["mean"] == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"effects": {"x": "3"}}, "'3' is not allowed; it names no series"),
        ({"within": [5, -5], "above": None}, "within: [5.0, -5.0] is not allowed; give the lower limit first"),
        ({"some": True}, "some: give effects, and the columns of their parts (each)"),
        ({"effects": {}, "function": "t7_less_each_other"}, "claims: claim 1: there is no series 'left_out'"),
        ({"effects": {"x": "__import__('os')"}}, "is not allowed; give arithmetic on series; it may call high, low"),
        ({"effects": {"x": "log10(molap, none)"}}, "'log10(molap, none)' is not allowed; give arithmetic on series"),
        ({"effects": {"x": "abs() + molap"}}, "'abs() + molap' is not allowed; give arithmetic on series"),
        ({"effects": {"x": "high + molap"}}, "'high + molap' is not allowed; give arithmetic on series"),
        ({"effects": {"x": "molap | none"}}, "'molap | none' is not allowed; give arithmetic on series"),
        ({"effects": {"x": "not molap"}}, "'not molap' is not allowed; give arithmetic on series"),
        ({"effects": {"x": "molap + 1 / 0"}}, "'molap + 1 / 0' is not allowed; its numbers have no finite value"),
        ({"effects": {"x": "molap - 10 ** 400"}}, "is not allowed; its numbers have no finite value"),
        ({"effects": {"x": "molap - (-8) ** 0.5"}}, "is not allowed; its numbers have no finite value"),
        ({"effects": {"x": "molap - log10(0)"}}, "is not allowed; its numbers have no finite value"),
        ({"effects": {"x": "molap - 'a'"}}, "is not allowed; give arithmetic on series"),
        ({"effects": {"x": "molap.values"}}, "is not allowed; give arithmetic on series"),
        ({"effects": {"x": "molap -"}}, "is not allowed; give arithmetic on series, for example molap - dni"),
        ({"effects": {}}, "give effects, or a function"),
        ({"function": "median"}, "give effects, or a function"),
        (
            {"effects": {}, "function": "median"},
            "function: 'median' is not allowed; allowed: difference_of_hard_less_easy, ",
        ),
        ({"below": 3}, "give exactly one of above, below and within"),
        ({"table": "performances"}, "'performances' is not allowed; allowed: 'performance', 'robustness'"),
        ({"tabel": "x"}, "unknown key; allowed are table, where"),
    ],
)
def test_a_test_that_cannot_be_is_refused(change, words):
    with pytest.raises(ConfigError) as refusal:
        claims(comparison() | change)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)
