"""The functions behind the rendered pages, compared with other ways to compute the same."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from molap.config.attribution import BEFORE, SWITCHES
from molap.gathering.glosses import SWITCHED
from molap.gathering.growth_sheets import GrowthSheets
from molap.gathering.judged import Judged, claims_named, needed
from molap.gathering.made import Made
from molap.gathering.phrases import Effect, Share, fewer, in_words, more, power, spread, spread_of_tasks, times
from molap.gathering.search_sheets import Search
from molap.gathering.sheets import Sheets, markdown
from molap.gathering.statements import FOLDERS, Evidence, of_one_more
from molap.report.article.words import listed

REPOSITORY = Path(__file__).parents[2]
SEED = "network_seed"
COMMITTED = Evidence(REPOSITORY)


def committed(name, folder="reference"):
    """A copy of a table, without the column that `Evidence` adds."""
    table = COMMITTED.table(name, folder).copy()
    return table.drop(columns="kind") if "source" in table else table


def of_kind(strategy, source, name="performance", column="accuracy"):
    table = committed(name)
    return table[(table.strategy == strategy) & (table.source == source)].groupby(SEED)[column].mean()


def test_a_paired_difference_has_student_s_interval():
    pair = of_kind("molap", "cca"), of_kind("molap", "none")
    less = (pair[0] - pair[1]).dropna()
    low, high = stats.t.interval(0.95, len(less) - 1, less.mean(), stats.sem(less))
    found = COMMITTED.difference("molap cca", "molap none")
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((less.mean(), low, high, len(less)))
    test = stats.ttest_rel(*pair).pvalue
    assert (found.way() in ("above", "below")) == (test < 0.05)


def test_failures_are_counted():
    table = committed("performance").query("strategy == 'separate'")
    lost = table[table.accuracy < table.best_constant]
    found = COMMITTED.failures("separate")
    assert (found.failed, found.n, found.passed) == (len(lost), len(table), len(table) - len(lost))
    assert sorted(found.tasks) == sorted(lost.label)
    assert Share(3, 9, ("T7", "T5", "T7")).where == "T5 and T7 twice"


def test_areas_are_means_over_tasks_less_each_other():
    table = committed("areas").query("perturbation == 'whole' and task != 'all'")
    by = table.groupby(["strategy", "source", SEED]).area.mean()
    less = by["molap", "cca"] - by["dni", "rule"]
    found = COMMITTED.area("molap cca", "dni rule", "whole")
    assert (found.mean, found.n) == pytest.approx((less.mean(), len(less)))
    easy = table[table.task.isin(["delay_pro", "mem_anti"])].groupby(["strategy", "source", SEED]).area.mean()
    assert COMMITTED.area("molap cca", "dni rule", "whole", ["T1", "T4"]).mean == pytest.approx(
        (easy["molap", "cca"] - easy["dni", "rule"]).mean()
    )


def test_left_out_and_matched_and_explained():
    table = committed("generalisation").query("source == 'cca' and n_left_out == 1 and place == 1")
    assert COMMITTED.left_out("difference", 1).mean == pytest.approx(table.groupby(SEED).difference.mean().mean())
    table = committed("robustness").query("strategy == 'molap' and source == 'cca' and task == 'all' and n_hit == 250")
    by = table.set_index(["perturbation", SEED]).accuracy
    assert COMMITTED.matched("all")[250]["module1"].mean == pytest.approx((by["inter_module"] - by["module1"]).mean())
    assert COMMITTED.explained("cca", 3) == pytest.approx(100 * committed("components").target_r2.iloc[2])
    assert COMMITTED.weights("printed", "molap", "trained") == 5200


def test_tasks_without_failures_are_those_where_none_fails():
    table = committed("performance")
    table = table[table.strategy.isin(["separate"]) | (table.source == "cca")]
    lost = set(table[table.accuracy < table.best_constant].label)
    found = COMMITTED.tasks_without_failures(["separate", "molap cca"])
    assert set(found) == set(table.label) - lost


@pytest.mark.parametrize(
    ("low", "high", "way"),
    [(0.1, 3.0, "above"), (-3.0, -0.1, "below"), (-0.9, 0.9, "equal"), (-0.9, 1.1, "open"), (-3.0, 3.0, "open")],
)
def test_words_follow_the_interval(low, high, way):
    found = Effect((low + high) / 2, low, high, 10)
    assert found.way() == way
    words = dict(above="more", below="less", equal="as", undecided="?")
    assert found.say(**words) == {"above": "more", "below": "less", "equal": "as", "open": "?"}[way]
    assert not Effect() and Effect().say(**words) == "not run"


@pytest.mark.parametrize("few", [Effect(5.0, n=1), Effect(5.0, 4.9, 5.1, 2)])
def test_few_networks_decide_nothing_but_have_a_mean(few):
    assert few.way() == "few" and few.say("more", "less", "as", "?") == "?" and few.within(9.0) == "undecided"
    assert few.compares() == "is above" and few.less(10.0).compares() == "is below"
    assert Effect(-0.04, n=1).compares() == "is level with"


def test_an_interval_that_is_missing_decides_nothing():
    nan = float("nan")
    assert Effect(5.0, nan, nan, 10).way(5.0) == "open" and Effect(5.0, nan, nan, 10).points == "5.0 points"
    assert Effect(5.0, nan, nan, 10).within(9.0) == "undecided"


def test_a_claim_of_about_as_well_fails_only_beyond_its_margin():
    cases = [(-4.0, 4.0), (-8.0, -1.0), (-9.0, -5.1), (5.1, 9.0)]
    found = [Effect(sum(ends) / 2, *ends, 10).within(5.0) for ends in cases]
    assert found == ["holds", "undecided", "does not hold", "does not hold"]


def test_about_equal_comes_before_above_and_below():
    """A claim of "about as well" within 5 points holds for −1.2 to −0.8, although zero lies outside."""
    near, far = Effect(-1.0, -1.2, -0.8, 3), Effect(-6.0, -7.0, -5.5, 3)
    assert (near.way(), near.way(5.0), far.way(5.0)) == ("below", "equal", "below")
    assert Effect(1.0, -6.0, 8.0, 3).way(5.0) == "open"


def test_effects_are_written_with_interval_and_sign():
    found = Effect(-1.44, -3.02, 0.14, 10)
    assert found.points == "−1.4 points (−3.0 to 0.1)" and found.size == "1.4 points (−0.1 to 3.0)"
    assert found.inner == "−1.4 points, −3.0 to 0.1" and found.bare == "−1.4 (−3.0 to 0.1)"
    assert Effect(62.04, n=1).percent == "62.0 % (one network)"


def test_words_for_numbers_and_lists():
    assert [in_words(n) for n in (0, 1, 12, 13, 1296)] == ["no", "one", "twelve", "13", "1,296"]
    assert listed(["a"]) == "a" and listed("abc") == "a, b and c"
    assert spread([1.2, 3.6]) == "1 to 4" and spread([1.1, 1.2]) == "1" and spread([-2.64, -0.2], 1) == "−2.6 to −0.2"
    labels = [f"T{i}" for i in range(1, 11)]
    assert spread_of_tasks(["T7", "T1", "T5", "T6", "T10"], labels) == "T1, T5 to T7 and T10"
    assert power(6.742e-13) == "7 · 10⁻¹³" and claims_named([9, 20]) == "claims 9 and 20"
    assert (
        spread_of_tasks(["go", "T10", "T9"], labels) == "T9, T10 and go"
        and spread_of_tasks(["T2", "T10"], []) == "T2 and T10"
    )
    assert Share(3, 9, ("T10", "T9", "T10")).where == "T9 and T10 twice"
    assert [in_words(float("nan")), power(float("nan")), power(0), spread([]), spread([float("nan"), 2])] == [
        "–",
        "–",
        "0",
        "–",
        "2",
    ]
    assert [times(n) for n in (1, 2, 3, 13)] == ["once", "twice", "three times", "13 times"]
    assert [needed(n) for n in (np.nan, 15.0, np.inf)] == ["", "15", "over 10,000"]


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (13.1, "13 times fewer weights than"),
        (1.26, "1.3 times fewer weights than"),
        (1.04, "about as many weights as"),
        (0.4, "2.5 times as many weights as"),
        (float("nan"), "– times fewer weights than"),
    ],
)
def test_fewer_is_said_of_fewer_alone(ratio, words):
    assert fewer(ratio, "weights") == words


def test_more_is_said_of_more_alone():
    assert [more(share, "weights") for share in (17.6, -12.0, 0.2)] == [
        "18 % more weights than",
        "12 % fewer weights than",
        "as many weights as",
    ]


def test_failures_agree_with_their_verb():
    assert [Share(n, 90).end() for n in (0, 1, 4)] == [
        "none of 90 networks ends",
        "one of 90 networks ends",
        "four of 90 networks end",
    ]


def test_every_switch_has_a_gloss():
    assert SWITCHED.keys() == SWITCHES.keys()


def test_the_settings_of_single_measurements_are_those_of_their_tables():
    made = Made(COMMITTED)
    learning = committed("learning", "once")
    for strategy, section in (("separate", "separate"), ("molap", "heads"), ("dni", "dni")):
        steps = learning[learning.strategy == strategy].step.max()
        assert made.once["learning"][section]["n_steps"] == steps
    assert all((REPOSITORY / "docs/tables" / f"{name}.csv").exists() for name in made.once)


def test_single_measurements_say_how_they_were_trained_where_the_reference_was_trained_otherwise():
    now = json.loads(json.dumps(COMMITTED.made_with))
    now["heads"]["n_steps"] = 1000
    former = json.loads(json.dumps(now))
    for section, values in BEFORE.items():
        former[section] |= values
    assert Made(COMMITTED, now).otherwise("learning", "modules") == ", trained as before the search"
    assert Made(COMMITTED, now).otherwise("plateau") == "" == Made(COMMITTED, former).otherwise("learning")
    assert "1,000 steps per task for heads, 2,000 steps per task for separate networks" in Made(COMMITTED, now).steps
    assert Made(COMMITTED, former).steps == "2,000 steps per task"
    now["dni"]["n_units"] = now["network"]["n_units"]
    assert Made(COMMITTED, now).units == f"all networks have {now['network']['n_units']} units"


def test_means_of_a_difference_are_over_the_networks_that_both_kinds_have():
    table = committed("performance")
    evidence = COMMITTED.but({("reference", "performance"): table[(table.source != "none") | (table[SEED] < 3)]})
    levels = evidence.levels("molap cca", "molap none")
    assert levels[0] - levels[1] == pytest.approx(evidence.difference("molap cca", "molap none").mean)
    assert levels[0] == pytest.approx(of_kind("molap", "cca")[:3].mean())


def test_95_of_100_single_networks_lie_where_those_seen_say():
    networks = np.random.default_rng(0).normal(40, 7, (4000, 11))
    mean, error = networks[:, :-1].mean(axis=1), stats.sem(networks[:, :-1], axis=1)
    low, high = stats.t.interval(0.95, 9, mean, error)
    usual = of_one_more(pd.DataFrame({"mean": mean, "low": low, "high": high, "n_seeds": 10}))
    inside = (usual.lowest < networks[:, -1]) & (networks[:, -1] < usual.highest)
    assert inside.mean() == pytest.approx(0.95, abs=0.01)


def test_changes_are_findings_only_from_three_networks():
    judged, table = Judged(COMMITTED), committed("attribution")
    for switch in judged.clear():
        rows = table[table.switch == switch.name]
        assert switch.n == rows.n_seeds.max() >= 3
        assert len(switch.moved) == ((rows.change_low > 1e-6) | (rows.change_high < -1e-6)).sum()
    assert {hint.n for hint in judged.hints()} <= {1, 2}
    once = table[(table.n_seeds < 3) & (table.switch != "none")]
    assert judged.n_moved_once() == (once.change != 0).sum()
    assert judged.n_switches() == table.switch.nunique() - 1


def test_verdicts_are_counted():
    judged, table = Judged(COMMITTED), committed("claims")
    counts = table.verdict.value_counts()
    assert f"{in_words(counts['does not hold'])} do not hold" in judged.counts()
    assert sum(len(of.split()) > 1 for of in judged.counts()) == len(counts)
    assert judged.limit(1) == "70" and judged.verdict(99) == "not run"


def test_every_folder_of_tables_is_there():
    assert all((REPOSITORY / folder).is_dir() for folder in FOLDERS.values())


def test_the_table_of_failures_adds_up():
    lines = [line.split("|") for line in Sheets(COMMITTED).failures().splitlines()[2:-1]]
    for cells in lines:
        assert sum(int(cell) for cell in cells[3:-2] if cell.strip() != "·") == int(cells[-2].split()[0])
    assert markdown(("", "a"), [("b", "")]) == "| | a |\n|---|---|\n| b | |"


def cells(table, row):
    """The cells of a table in Markdown, in the row that begins with a word."""
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {row} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_the_tables_of_accuracy_have_means_and_lowest_networks():
    by = of_kind("molap", "pca")
    assert cells(Sheets(COMMITTED).accuracy("accuracy"), "mean")[1] == f"{by.mean():.1f} ({by.min():.0f})"
    table = committed("performance").query("strategy == 'separate' and label == 'T8'")
    expected = f"{table.decision_accuracy.mean():.1f} ({table.decision_accuracy.min():.0f})"
    assert cells(Sheets(COMMITTED).accuracy("decision_accuracy"), "T8")[3] == expected


def test_the_tables_of_learning_in_turn():
    table = committed("continual").query("source == 'rule' and order == 0 and after == 'mem_anti'")
    expected = table.groupby("task").accuracy.mean()
    assert cells(Sheets(COMMITTED).continual(), "T4")[1] == f"{expected['delay_anti']:.1f}"
    table = committed("forgetting").query("source == 'rule'")
    assert cells(Sheets(COMMITTED).forgetting(), "forgetting")[0] == f"{table.accuracy_forgetting.mean():.1f}"


def test_updates_are_those_of_the_last_checkpoint_and_of_pretraining():
    table = committed("learning").query("strategy == 'molap' and source == 'cca' and network_seed == 0")
    last = table[table.step == table.step.max()]
    expected = last.updates.sum() + last.updates_before.iloc[0]
    assert GrowthSheets(COMMITTED).updates()["molap cca"] == pytest.approx(expected)
    table = committed("scaling", "once").query("n_tasks == 9 and n_units == 100").set_index("strategy").updates
    assert GrowthSheets(COMMITTED).fewer("molap", 9, 100) == pytest.approx(table["separate"] / table["molap"])


def test_left_out_tasks_are_compared_over_the_same_networks():
    table = committed("generalisation")
    kept = table[(table.n_left_out == 0) | (table[SEED] < 3)]
    sheet = GrowthSheets(COMMITTED.but({("reference", "generalisation"): kept}))
    whole = table[(table.n_left_out == 0) & (table.source == "cca") & (table[SEED] < 3)]
    assert cells(sheet.left_out(), "mean")[0] == f"{whole.accuracy.mean():.1f}"


def test_the_tables_of_the_search():
    table = committed("tune_table", "once")
    rows = table[(table.kind == "separate") & (table.candidate == "zero, rate 0.01, W_rec × 0.1, clip 0.1, 500")]
    expected = f"{rows.failed.sum()}, {rows.accuracy.mean():.1f}"
    search = Search(COMMITTED)
    assert expected in search.grid() and cells(search.variations(), "clipping at 0.1")[0] == expected
    table = committed("tune_check", "once").query("kind == 'dni-rule' and in_turn == 9")
    table = table[table.candidate.str.endswith("2000")]
    (candidate,) = table.candidate.unique()
    assert search.kept(candidate)["lost"].failed == table.failed.sum()
    assert cells(search.by_network(candidate), "0")[0] == f"{table.query('network_seed == 0').accuracy.iloc[0]:.1f}"
