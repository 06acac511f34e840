"""The pages about the reference results follow from the committed tables, whatever these hold."""

import contextlib
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molap.gathering.phrases import WORDS, in_words
from molap.gathering.reference import BLOCK, PAGES, TEMPLATES, WIDTH, main, pages, wrapped
from molap.gathering.statements import Evidence
from molap.jobs.command import Refused

REPOSITORY = Path(__file__).parents[2]
SEED = "network_seed"
COMMITTED = Evidence(REPOSITORY)
FIXED = {
    r"H100": "the device on which the search ran",
    r"\bT[1-9]\b|T1–T4|T5–T9": "labels of tasks",
    r"95 %": "the level of all intervals",
    r"(claim|Claim|Fig|Figs|Table|Section|Appendix) [A-Z]?[\d.]+( to \d+)?": "places in the paper, claims",
    r"arXiv [\d.]+|arxiv\.org/abs/[\d.]+": "identifiers of articles",
    r"[a-z]*[Ff]ig[a-z_]*\d\w*|\((?:[a-z/]*figures/)[\w.]+\)": "files of figures",
    r"module [12]\b|modules? [12] and 2": "the two modules",
    r"N = 100|N² / r|r = \d": "what the paper's Table 1 describes",
    r"≈ 60 and\s+≈ 70 %|≈ 60 %|≈ 70 %": "what the paper prints in A.2.1",
    r"A\.2(\.1)?": "appendices of the paper",
    r"±0\.95": "where a rate counts as saturated (config: plateau)",
    r"step 5\b|step 500\b": "steps at which the diagnosis looks",
    r"network\s+seed\s+0": "the seed of single measurements",
    r"R²|N²|10⁻?": "powers",
    r"#[\w-]+": "anchors of headings",
    r"table1\.csv": "the file of the table",
    r"\[S[1-5]\]": "supplementary figures of the paper",
}
"""Digits that a template may hold outside of what is computed: fixed facts of the paper or of a configuration."""


IN_WORDS = {
    "Two primitives explain": "what A.2.1 is about",
    ", three %": "what A.2.1 is about",
    "Two and three components": "what A.2.1 is about",
    "for two components and ≈ 70 % for three": "what A.2.1 prints",
    "that two components explain ≈ 60 % of the targets' variance and three": "what A.2.1 prints",
    "finds three modules about as good as two": "what A.2.1 finds",
    "for the first of two": "cases of the paper's Fig 5",
    "Two tasks left out": "cases of the paper's Fig 5",
    "first of the two, and": "cases of the paper's Fig 5",
    "with two. The random": "cases of the paper's Fig 5",
    "about two orders of magnitude": "claim 7",
    "after a hundred steps": "a step at which the diagnosis looks",
    "Two theories": "the ones that are cited",
    "DNI over all nine tasks": "a heading",
    "in its first two networks": "how the search went",
}
"""Numbers in words that a template may hold, and why."""
NAME = r"[a-z_]+\d\w*"
"""Names of tables, columns and perturbations."""
CLAIM_IN_SHORT = r"above 70 %|\+ 18 %|< 10 %|T7: output 2|lesions of module 2|of module 1"
"""What the paper's claims say, in the table of verdicts."""
GAPS = re.compile(r"\bnan\b|\bNone\b|(?<!\S)\(?– (%|points|times)|\b(0|no|none) of (0|no)\b|no networks\b")
"""What no sentence may hold."""


def prose(page):
    """A page without its tables, in which a dash stands for what was not run."""
    return flat("\n".join(line for line in page.splitlines() if not line.startswith("|")))


def rendered(name="findings", **replaced):
    """A page, with some tables of the reference replaced."""
    tables = {("reference", table): frame for table, frame in replaced.items()}
    (page,) = pages(COMMITTED.but(tables), [name]).values()
    return page()


def committed(name, folder="reference"):
    """A copy of a table, without the column that `Evidence` adds."""
    table = COMMITTED.table(name, folder).copy()
    return table.drop(columns="kind") if "source" in table else table


def flat(page):
    return " ".join(page.split())


def test_the_committed_pages_are_those_of_the_committed_tables():
    for path, render in pages(COMMITTED).items():
        assert (REPOSITORY / path).read_text(encoding="utf-8") == render(), f"{path}: run `molap reference`"


def test_the_command_checks_and_names_the_page_that_is_out_of_date(tmp_path):
    (tmp_path / "docs").mkdir()
    for name in ("reference", "reference_new", "released", "tables", "templates"):
        (tmp_path / "docs" / name).symlink_to(REPOSITORY / "docs" / name)
    for name in ("README.md", *(f"docs/{page}.md" for page in PAGES)):
        (tmp_path / name).write_text((REPOSITORY / name).read_text(encoding="utf-8"), encoding="utf-8")
    with contextlib.chdir(tmp_path):
        main(["--check"], standalone_mode=False)
        page = Path("docs", f"{PAGES[-1]}.md")
        text = page.read_text(encoding="utf-8")
        page.unlink()
        page.write_text(text.replace("9", "8", 1), encoding="utf-8")
        with pytest.raises(Refused, match=rf"docs/{PAGES[-1]}\.md is out of date; run `molap reference`"):
            main(["--check"], standalone_mode=False)
        main([], standalone_mode=False)
        assert page.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", [*PAGES, "readme"])
def test_no_number_is_typed_in_a_template(name):
    text = (REPOSITORY / TEMPLATES / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|```.*?```", "", text, flags=re.DOTALL)
    for pattern in FIXED:
        text = re.sub(pattern, "", text)
    left = [line for line in text.splitlines() if re.search(r"\d", line)]
    assert not left


@pytest.mark.parametrize("name", [*PAGES, "readme"])
def test_no_number_is_typed_in_words(name):
    text = flat((REPOSITORY / TEMPLATES / f"{name}.md").read_text(encoding="utf-8"))
    text = flat(re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|```.*?```", "", text))
    for words in IN_WORDS:
        text = text.replace(words, "")
    assert not re.findall(rf"[^.]*\b(?:{'|'.join((*WORDS[2:], 'hundred', 'half', 'twice'))})\b[^.]*", text)


@pytest.mark.parametrize("name", [*PAGES, "readme"])
def test_no_number_is_typed_inside_of_what_is_computed(name):
    """A value that is printed is never a literal: `{{ 86 }}` or `{{ "86" }}`."""
    text = (REPOSITORY / TEMPLATES / f"{name}.md").read_text(encoding="utf-8")
    for found in re.findall(r"\{\{(.*?)\}\}", text, flags=re.DOTALL):
        assert not re.fullmatch(r"""[\s\d."'%()−-]+(\|.*)?""", found.strip()), found
    for found in re.findall(r"\{[{%].*?[%}]\}", text, flags=re.DOTALL):
        for words in re.findall(r'"([^"]*)"', re.sub(r'search\.kept\("\d+"\)', "", found)):  # a name in the search
            for pattern in (CLAIM_IN_SHORT, *FIXED, NAME):
                words = re.sub(pattern, "", words)
            assert not re.search(r"\d", words), found


def test_the_verdicts_of_the_table_are_the_committed_ones():
    rows = re.findall(r"^\| (\d+) \| [^|]* \| ([^|]+) \|", rendered(), re.MULTILINE)
    verdicts = committed("claims").set_index("claim").verdict.to_dict()
    assert {int(claim): verdict for claim, verdict in rows} == verdicts
    n = int(committed("claims").n_seeds.max())
    assert f"**{in_words(n)} network" in flat(rendered())


# A changed table changes the sentence that states it.


def shifted(strategy, source, by, column="accuracy"):
    table = committed("performance")
    rows = (table.strategy == strategy) & (table.source == source)
    table.loc[rows, column] = table.loc[rows, column] + by
    return table


def bullet(page, words):
    """The item of a list that holds some words."""
    items = re.split(r"\n(?=- |\n)", page)
    (found,) = [flat(item) for item in items if words in flat(item)]
    return found


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


def seeds_of(n):
    """The tables with n network seeds: fewer, or with copies of those there are under other numbers."""
    found = {}
    for name in (
        "performance",
        "areas",
        "generalisation",
        "forgetting",
        "robustness",
        "learning",
        "continual",
        "modules",
    ):
        table = committed(name)
        every = sorted(table[SEED].unique())
        parts = [table[table[SEED] == every[seed % len(every)]].assign(**{SEED: seed}) for seed in range(n)]
        found[name] = pd.concat(parts, ignore_index=True)
    return found


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("<!-- reference -->", "<!-- ref -->"), "README.md has 0 blocks"),
        (lambda text: text.replace("\n<!-- /reference -->", " <!-- /reference -->"), "README.md has 0 blocks"),
    ],
)
def test_a_readme_without_its_block_is_refused(tmp_path, change, words):
    (tmp_path / "docs").symlink_to(REPOSITORY / "docs")
    (tmp_path / "README.md").write_text(change((REPOSITORY / "README.md").read_text(encoding="utf-8")))
    with contextlib.chdir(tmp_path), pytest.raises(Refused, match=words):
        main(["--check"], standalone_mode=False)


def test_a_table_that_is_cut_short_is_named_with_its_page_in_one_line(tmp_path):
    (tmp_path / "README.md").symlink_to(REPOSITORY / "README.md")
    shutil.copytree(
        REPOSITORY / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("_build", "images", "figures")
    )
    table = pd.read_csv(tmp_path / "docs/reference/tables/performance.csv")
    table.drop(columns="best_constant").to_csv(tmp_path / "docs/reference/tables/performance.csv", index=False)
    with (
        contextlib.chdir(tmp_path),
        pytest.raises(Refused, match=r"docs/findings\.md: a table lacks what the page") as one,
    ):
        main(["--check"], standalone_mode=False)
    assert "\n" not in str(one.value)


def changed(name, column, change):
    """A copy of a table of the reference in which a column is changed."""
    table = committed(name)
    return table.assign(**{column: change(table[column])})


def test_more_becomes_fewer_where_the_counts_say_so():
    table = committed("table1")
    molap = table.strategy == "molap"
    table.loc[molap & (table.version == "corrected"), "overall"] = 0.88 * 10200
    table.loc[molap & (table.version == "counted"), "trained"] *= 20
    page = flat(rendered(table1=table))
    assert "MoLaP has 12 % fewer weights in all than DNI" in page and "−12 %" not in page
    assert "In our own networks it trains 2.1 times as many weights as separate networks" in page


def test_one_network_is_not_said_to_be_alike_or_not():
    for name in PAGES:
        page = flat(rendered(name, **seeds_of(1)))
        assert "cannot be distinguished" not in page and "is as good as" not in page
    assert "**CCA is above PCA** by the mean over tasks" in flat(rendered(**seeds_of(1)))


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


def test_paragraphs_are_filled_and_nothing_else_changes():
    long = "word " * 60
    text = f"# {long}\n\n- {long}\n  more\n- b\n\n| {long} |\n\n```sh\n  {long}\n```\n"
    found = wrapped(text)
    lines = found.splitlines()
    assert all(len(line) <= WIDTH for line in found.split("\n\n")[1].splitlines())
    assert flat(found) == flat(text) and lines[0] == f"# {long}".rstrip()
    assert wrapped(found) == found
    assert not re.search(r"^\+ ", wrapped("word " * 23 + "+ 18 % " * 9), re.MULTILINE)


def test_the_readme_has_one_block_of_results():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert len(BLOCK.findall(text)) == 1
