"""The words of the pages about the reference results are true whatever the tables hold."""

import re

import numpy as np
import pandas as pd
import pytest
from rendered_pages import COMMITTED, GAPS, SEED, bullet, changed, committed, flat, prose, rendered, seeds_of, shifted

from molap.gathering.phrases import in_words
from molap.gathering.reference import PAGES, pages, wrapped


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (-30, "Pre-training does harm at the end of training"),
        (30, "Pre-training helps at the end of training"),
    ],
)
def test_a_flipped_sign_flips_the_words(by, words):
    page = rendered(performance=shifted("molap", "cca", by))
    item = bullet(page, words)
    holds = page[page.index("## What holds") : page.index("## What is not found")]
    assert (words in flat(holds.split("## What is open")[0])) == (by > 0)
    table = shifted("molap", "cca", by)
    means = [
        table[(table.strategy == "molap") & (table.source == source)].groupby(SEED).accuracy.mean()
        for source in ("cca", "none")
    ]
    assert f"{abs((means[0] - means[1]).mean()):.1f} points" in item.replace("−", "")


def test_kinds_that_are_alike_are_said_to_be():
    table = committed("performance")
    keys = [SEED, "task"]
    none = table[(table.strategy == "molap") & (table.source == "none")].set_index(keys).accuracy
    rows = (table.strategy == "molap") & (table.source == "cca")
    index = pd.MultiIndex.from_frame(table.loc[rows, keys])
    table.loc[rows, "accuracy"] = none.reindex(index).to_numpy()
    assert "Pre-training makes no difference at the end of training" in flat(rendered(performance=table))


def test_a_network_that_fails_is_counted_where_it_fails():
    table = committed("performance")
    rows = (table.strategy == "molap") & (table.source == "cca") & (table.label == "T2") & (table[SEED] == 0)
    before = COMMITTED.failures("molap cca")
    table.loc[rows, "accuracy"] = 10
    item = bullet(rendered(performance=table), "MoLaP is above 70 % on every task")
    assert f"{in_words(before.failed + 1)} of {before.n} networks fail" in item and "T2" in item


def test_a_changed_area_changes_its_cell_and_its_words():
    table = committed("areas")
    rows = (table.strategy == "molap") & (table.source == "cca")
    table.loc[rows, "area"] += 50
    page = flat(rendered(areas=table))
    assert "MoLaP is more robust to lesions of weights than DNI and separate networks" in page
    by = table[(table.task != "all") & (table.perturbation == "noise")]
    by = by.groupby(["strategy", "source", SEED]).area.mean()
    mean = (by["molap", "cca"] - by["dni", "rule"]).mean()
    assert f"| noise | {mean:.1f} (" in page


def test_a_changed_component_and_a_changed_claim_are_stated():
    table = committed("components")
    table.loc[(table.source == "cca") & (table.component == 2), "target_r2"] = 0.414
    assert "Two primitives explain 41 %" in flat(rendered(components=table))
    table = committed("claims")
    table.loc[table.claim == 13, "verdict"] = "does not hold"
    assert re.search(r"\| 13 \| [^|]* \| does not hold \|", rendered(claims=table))


def test_left_out_tasks_that_suffer_are_said_to():
    table = committed("generalisation")
    table["difference"] -= 40
    page = rendered(generalisation=table)
    item = bullet(page, "Tasks left out of the corpus are learned")
    assert "learned worse" in item and page.index("learned worse") > page.index("## What is not found")


# Pages render whatever was run.


@pytest.mark.parametrize("name", [*PAGES, "readme"])
@pytest.mark.parametrize("n", [1, 2, 20])
def test_any_number_of_networks_renders(name, n):
    tables = seeds_of(n)
    claims = committed("claims").assign(n_seeds=lambda of: of.n_seeds.where(of.n_seeds == 0, n))
    if n == 1:
        claims = claims.assign(low=np.nan, high=np.nan, verdict="one network: descriptive only")
    page = rendered(name, claims=claims, **tables)
    assert not re.search(r"\bnan\b|\bNone\b", page)
    if name == "findings":
        assert f"**{in_words(n)} network{'s' if n > 1 else ''} of each kind**" in flat(page)
        if n == 1:
            assert "one network: descriptive only" in page and "(one network)" in page


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "missing",
    [
        ["generalisation", "differences"],
        ["attribution"],
        ["robustness", "areas"],
        ["forgetting", "continual"],
        ["modules"],
        ["learning"],
        ["components"],
        ["table1"],
        ["claim_parts"],
    ],
)
def test_what_was_not_run_is_left_out(missing):
    for name in PAGES:
        page = rendered(name, **dict.fromkeys(missing))
        assert not re.search(r"\bnan\b", page) and not GAPS.search(prose(page)), GAPS.search(prose(page))
    if "attribution" in missing:
        assert "The attribution was not run." in rendered(attribution=None)


@pytest.mark.parametrize("seed", range(3))
def test_any_results_render(seed):
    draws, tables = np.random.default_rng(seed), {}
    for name in ("performance", "areas", "generalisation", "forgetting", "robustness", "learning", "attribution"):
        table = committed(name)
        for column in {*table.select_dtypes("float")} - {
            "best_constant",
            "strength",
            "low_limit",
            "high_limit",
            "order",
        }:
            table[column] = table[column] * draws.choice([1, 0.2, -1]) + draws.normal(0, 20)
        tables[name] = table
    verdicts = ["holds", "does not hold", "undecided", "practically equal", "not run"]
    claims = committed("claims")
    claims["verdict"] = draws.choice(verdicts, len(claims))
    for name in (*PAGES, "readme"):
        assert not re.search(r"\bnan\b", rendered(name, claims=claims, **tables))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["forgetting", "table1", "components"])
def test_a_sentence_without_its_number_is_left_out(name):
    (page,) = pages(COMMITTED.but({("released", name): None}), ["findings"]).values()
    assert "## As released" in page() and not GAPS.search(prose(page()))


def test_only_the_sentence_that_lacks_its_number_is_left_out():
    assert wrapped("- **A.** It has – % more. It is here.\n- B has – points.\n\n| – |\n") == "- It is here.\n\n| – |\n"
    assert wrapped("T1–T4 lose 3 points – or more.\n") == "T1–T4 lose 3 points – or more.\n"


def test_more_becomes_fewer_where_the_counts_say_so():
    table = committed("table1")
    molap = table.strategy == "molap"
    table.loc[molap & (table.version == "corrected"), "overall"] = 0.88 * 10200
    table.loc[molap & (table.version == "counted"), "trained"] *= 20
    page = flat(rendered(table1=table))
    assert "MoLaP has 12 % fewer weights in all than DNI" in page and "−12 %" not in page
    assert "In our own networks it trains 2.1 times as many weights as separate networks" in page


def test_one_network_is_not_said_to_be_alike_or_not():
    one = {("reference", name): table for name, table in seeds_of(1).items()}
    for name in ("performance", "areas"):
        table = committed(name, "new")
        one["new", name] = table[table[SEED] == 0]
    for render in pages(COMMITTED.but(one)).values():
        page = flat(render())
        assert "cannot be distinguished" not in page and "is as good as" not in page
    assert "**CCA is above PCA** by the mean over tasks" in flat(rendered(**seeds_of(1)))


def test_only_kinds_that_were_compared_are_named():
    areas = committed("areas")
    page = flat(rendered(areas=areas[areas.strategy != "separate"]))
    assert "**MoLaP is less robust to lesions of weights than DNI.**" in page and "points lower" not in page


def test_lesions_that_are_better_are_said_to_be():
    item = bullet(rendered(robustness=changed("robustness", "accuracy", lambda of: -of)), "With as many weights hit")
    assert "clearly worse than lesions of a module in none" in item and "clearly better in six" in item


def test_an_open_comparison_is_not_said_to_fail():
    page = rendered()
    assert COMMITTED.difference("molap cca", "dni rule").way() == "open"
    assert page.index("not shown to be better than both DNI") < page.index("## What is not found")


@pytest.mark.parametrize("numbers", [{2: 4, 3: 5}, {2: 1, 3: 1}])
def test_the_numbers_of_modules_are_those_of_the_table(numbers):
    page = flat(rendered("generalisation", modules=changed("modules", "n_modules", lambda of: of.map(numbers))))
    said = " and ".join(in_words(n) for n in sorted({*numbers.values()}))
    assert re.search(rf"In the reference, {said} modules? were tried with \*\*3 networks each", page)


def test_a_tenth_task_comes_last_and_is_not_lost():
    table = committed("performance")
    tenth = table[table.label == "T9"].assign(label="T10", task="tenth", accuracy=0.0)
    for name in (*PAGES, "readme"):
        page = flat(rendered(name, performance=pd.concat([table, tenth])))
        assert "nine tasks)" not in page if name == "readme" else True
        assert "T5 to T10" in page or name != "findings"


@pytest.mark.parametrize("kept", ["none", "few", "many"])
def test_an_attribution_without_some_switches_has_no_empty_table(kept):
    table = committed("attribution")
    few = (table.n_seeds < 3) | (table.switch == "none")
    page = rendered(attribution=table[{"none": few & ~few, "few": few, "many": ~few | (table.switch == "none")}[kept]])
    assert ("The table has the changes" in page) == (kept == "many")
    assert ("ran with **fewer networks" in flat(page)) == (kept == "few")
    assert not re.search(r"\|\n\n\|---|---\|\n\n", page) and "nan" not in page


def test_nothing_is_said_of_networks_that_all_failed_or_none():
    all_at = {n: committed("performance").assign(accuracy=float(n)) for n in (10, 100)}
    failed, learned = (rendered(performance=table) for table in all_at.values())
    assert "90 of 90 networks fail" in flat(failed) and "none of 90 networks fail" in flat(learned)
    assert "T1 ten times" not in failed
    readme = flat(rendered("readme", performance=all_at[100]))
    assert "none of 90 networks (ten for each of nine tasks) ends below" in readme


@pytest.mark.exhaustive
@pytest.mark.parametrize("missing", [("molap", "none"), ("molap", "pca"), ("separate", "-"), ("dni", "rule")])
def test_a_kind_that_was_not_run_is_not_counted_as_faultless(missing):
    table = committed("performance")
    strategy, source = missing
    table = table[(table.strategy != strategy) | (table.source != source)]
    for name in (*PAGES, "readme"):
        assert not GAPS.search(prose(rendered(name, performance=table)).replace("–T", ""))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["measured", "plateau", "tune_table", "tune_check", "modules", "learning", "scaling"])
def test_single_measurements_may_be_missing(name):
    for page in PAGES:
        (render,) = pages(COMMITTED.but({("once", name): None}), [page]).values()
        assert not GAPS.search(prose(render()))


def test_the_preset_of_the_released_code_may_not_have_been_run():
    names = ["performance", "forgetting", "components", "table1", "claims"]
    evidence = COMMITTED.but({("released", name): None for name in names})
    (page,) = pages(evidence, ["findings"]).values()
    assert "The preset `released` was not run." in page()
