"""What the article says, that it says nothing else, and that any run can be typeset."""

import json
import re

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("typst", reason="the extra `article` is not installed")
from article_data import Sources
from workflow_helpers import REPOSITORY

from molap.config.base import ConfigError
from molap.planning.article import TEXT, check_typst, text_digest
from molap.report.article import methods, typesetting, words

pytestmark = pytest.mark.exhaustive
OWN = """
import jax.numpy as jnp

from molap.tasks.registry import Task


def build(conditions, settings):
    theta = conditions.angles[:, 0]
    shown = jnp.ones((120, 1, 1)) * jnp.cos(theta)[:, None]
    return shown, shown


def decide(outputs, targets):
    return abs(outputs.mean(0) - targets.mean(0)) < 0.3


TASKS = (Task("mine", "mine", build, ("x",), ("y",), n_steps=120, window=(90, 100), decide=decide),)
"""
"""A module of one task with a window and a rule of its own."""
TEN = {"seeds": {"networks": 10}}


@pytest.fixture
def ten(tmp_path):
    """The reference tables of ten network seeds, with the preset."""
    return Sources(tmp_path, TEN)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """What the article says of them."""
    return Sources(tmp_path_factory.mktemp("unchanged"), TEN).said()


def test_the_text_types_no_number():
    """It has digits in mathematics and in names of figures alone."""
    text = (TEXT / "article.typ").read_text(encoding="utf-8")
    assert not re.search(r"\d", re.sub(r'\$[^$]*\$|"fig\w+"', "", text))


def test_the_readings_are_those_of_the_page():
    page = (REPOSITORY / "docs" / "readings.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in page.splitlines() if line[:2] == "| "]
    known = pd.read_csv(TEXT / "readings.csv", keep_default_na=False)
    assert known[["reading", "text", "code"]].values.tolist() == [row[:3] for row in rows[1:]]
    for keys, (*_, printed, _, _) in zip(known["keys"], rows[1:], strict=True):
        for key in keys.split():
            assert key.partition(".")[2] in printed or "…" in printed, f"{key} is not in the page's row: {printed}"


def test_a_reading_is_bold_where_the_page_says_that_the_preset_leaves_the_letter(ten):
    page = (REPOSITORY / "docs" / "readings.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line[:2] == "| "][1:]
    assert methods.readings_table(ten.values)["strong"] == [i for i, row in enumerate(rows) if "**" in row[5]]


def test_numbers_are_those_of_the_tables(ten):
    rows = ten.tables["performance"]
    cca = rows[(rows.strategy == "molap") & (rows.source == "cca")]
    said = ten.said()
    mean = cca.groupby("network_seed").accuracy.mean()
    assert f"end at {mean.mean():.1f} (" in said
    assert f"{(rows.accuracy < rows.best_constant).sum()} of {len(rows)} cases" in said
    claims = ten.tables["claims"]
    assert f"{(claims.verdict == 'holds').sum()} hold" in said
    assert "321 MB" in said and "feedc0ffeefe" in said and "0123456789ab" in said


@pytest.mark.parametrize(
    ("table", "column", "value", "shown"),
    [
        ("performance", "accuracy", 12.34, "12.3 ± 0.0"),
        ("table1", "overall", 123456.0, "123,456"),
        ("components", "target_r2", 0.3344, "|33.4|"),
        ("forgetting", "accuracy_right_after", 77.77, "77.8 ± 0.0"),
        ("areas", "area", 43.21, "43.2 ± 0.0"),
        ("generalisation", "difference", -6.54, "−6.5 ± 0.0"),
        ("claims", "mean", -3.21, "−3.21 ("),
    ],
)
def test_a_number_that_changes_in_a_table_changes_in_the_article(ten, unchanged, table, column, value, shown):
    assert shown not in unchanged
    ten.tables[table] = ten.tables[table].assign(**{column: value})
    assert shown in ten.said()


def test_a_setting_that_changes_changes_in_the_article(tmp_path):
    said = Sources(tmp_path, TEN | {"heads": {"learning_rate": 0.0375}}).said()
    assert "|0.0375|–|1000|200|" in said and "heads.learning_rate|0.0375|0.01|" in said


def test_the_criterion_is_stated_for_the_tasks_that_it_judges(tmp_path):
    """A task of one's own, one of 24 trials in a file, and T1: each with its window and rule, and held-out trials."""
    (tmp_path / "mine.py").write_text(OWN)
    rng = np.random.default_rng(0)
    arrays = {"inputs": rng.normal(size=(60, 24, 2)), "targets": rng.normal(size=(60, 24, 1)), "window": [40, 60]}
    np.savez(tmp_path / "recorded.npz", **arrays)
    modules = [str(tmp_path / "mine.py"), str(tmp_path / "recorded.npz")]
    names = ["delay_pro", "mine", "recorded"]
    figures = {"example_task": "delay_pro"}
    said = Sources(tmp_path, TEN | {"tasks": {"modules": modules, "names": names}, "figures": figures}).said()
    assert "Not in the paper are mine and recorded. A module or file of the configuration defines each." in said
    assert "2000 test trials; they repeat the held-out trials of recorded (5 distinct)." in said
    assert "An output of delay_pro and recorded is correct on a trial if its mean over the last 30 steps " in said
    assert "(steps 40 to 59 of recorded) lies within 0.1 of" in said
    assert "A rule of its own judges mine (on steps 90 to 99)." in said


def test_of_nine_tasks_there_is_no_other_criterion(ten):
    said = ten.said()
    assert "2000 test trials. An output is correct on a trial if its mean over the last 30 steps lies within" in said
    assert "Not in the paper" not in said and "rule of its own" not in said


def test_networks_that_fail_are_counted_by_task_and_kind(ten):
    rows = ten.tables["performance"]
    failed = (rows.strategy == "dni") & (rows.source == "rule") & (rows.label == "T3") & (rows.network_seed < 4)
    ten.tables["performance"] = rows.assign(accuracy=100.0).assign(accuracy=lambda t: t.accuracy.mask(failed, 5.0))
    table = ten.contents()["failures"]
    assert [row[0] for row in table["table"]["rows"]] == ["T3", "all tasks"]
    assert table["table"]["rows"][0][1:] == ["0 of 10"] * 4 + ["4 of 10", "0 of 3"]
    assert (table["n"], table["free"]) == ("4", "8 tasks")


def test_the_same_inputs_give_the_same_bytes(ten):
    assert ten.pdf() == ten.pdf()


def test_the_preset_makes_eight_to_twelve_pages(tmp_path):
    for networks in (1, 10):
        assert 8 <= Sources(tmp_path, {"seeds": {"networks": networks}}).pages() <= 12


def test_every_figure_is_shown_once(ten):
    with typesetting.sources(ten.contents(), ten.figures) as (typst, options):
        shown = json.loads(typst.query(selector="figure.where(kind: image)", field="label", **options))
    assert sorted(shown) == sorted(f"<{name}>" for name in ten.figures)


def test_studies_join_where_there_are_any(ten, tmp_path):
    assert "These studies were not run: the number of modules" in ten.said()
    whole = Sources(tmp_path, TEN, without=("baselines", "fig_baselines"))
    said = whole.said()
    assert "switches 17 readings" in said and "the number of modules (snakemake" not in said
    assert {"fig_modules", "fig_attribution"} <= {figure["name"] for figure in whole.contents()["figures"]}


def test_one_network_seed_is_described_and_not_tested(tmp_path):
    one = Sources(tmp_path, {"seeds": {"networks": 1}})
    for name, table in one.tables.items():
        if "network_seed" in table:
            one.tables[name] = table[table.network_seed == 0]
    claims = one.tables["claims"]
    one.tables["claims"] = claims.assign(verdict="one network: descriptive only", low=None, high=None, n_seeds=1)
    said = one.said()
    assert "There is one network seed" in said and "no test" in said and "±" not in said
    assert "20 have one network and no verdict" in said


BARE = {
    "name": "bare-run_1.0",
    "tasks": {"names": ["mem_dm1"]},
    "primitives": {"sources": ["none"]},
    "dni": {"kinds": []},
    "perturbations": {"kinds": [], "tasks": [], "example_task": None},
    "generalisation": {"left_out": []},
    "figures": {"example_task": "mem_dm1"},
    "tune": {"tasks": ["mem_dm1"]},
}


def test_a_run_with_next_to_nothing_says_what_it_lacks(tmp_path):
    bare = Sources(tmp_path, BARE)
    rows = bare.tables["performance"]
    kept = (rows.source.isin(["-", "none"])) & (rows.task == "mem_dm1") & (rows.network_seed == 0)
    table1 = bare.tables["table1"]
    bare.tables = {
        "performance": rows[kept],
        "table1": table1[(table1.version != "counted") | table1.strategy.isin(["separate", "none"])],
        "claims": bare.tables["claims"].assign(verdict="not run", must_be=None, mean=None, low=None, high=None),
    }
    said = bare.said()
    for sentence in (
        "the run lacks T1, T2, T3, T4, T6, T7, T8 and T9",
        "no networks of these kinds: MoLaP pre-trained by CCA, MoLaP pre-trained by PCA and DNI with a rule input",
        "No network was perturbed",
        "No task was left out",
        "No network of this run learns the tasks in turn",
        "were not tested: 1 to 20",
    ):
        assert sentence in said, sentence
    assert bare.pdf().startswith(b"%PDF")


NASTY = '#panic("x") *b* _i_ $y$ @z <a> `c` \\ "q" //'


def test_what_a_user_wrote_is_never_evaluated(ten):
    rows = ten.tables["performance"]
    ten.tables["performance"] = rows.assign(label=rows.label.replace({"T7": NASTY}))
    ten.tables["claims"] = ten.tables["claims"].assign(says=NASTY)
    said = ten.said()
    assert said.count(NASTY) >= 1 + len(ten.tables["claims"])
    assert ten.contents()["figures"][0]["caption"][0]["style"] == "strong"


def test_long_names_and_many_rows_stay_on_the_page(ten):
    long = "a_name_of_a_task_that_goes_on_and_on_without_an_end_or_a_space"
    rows = ten.tables["performance"]
    ten.tables["performance"] = rows.assign(label=rows.label.replace({"T7": long}))
    claims = pd.concat([ten.tables["claims"]] * 6, ignore_index=True)
    ten.tables["claims"] = claims
    content = ten.contents()
    assert all(len(part) <= words.UNBROKEN for part in re.split(f"[{words.BREAK} ]", words.breakable(long)))
    with typesetting.sources(content, ten.figures) as (typst, options):
        tables = json.loads(typst.query(selector="figure.where(kind: table)", **options))
    assert sum("Continued" in json.dumps(table["caption"]) for table in tables) >= 2


def test_a_changed_text_is_another_setting(tmp_path, monkeypatch):
    before = text_digest()
    for file in TEXT.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr("molap.planning.article.TEXT", tmp_path)
    assert text_digest() == before
    (tmp_path / "article.typ").write_text("Another.")
    assert text_digest() != before


def test_without_typst_one_line_says_what_to_install(ten, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "typst", None)
    for work in (check_typst, lambda: typesetting.pdf(ten.contents(), ten.figures)):
        with pytest.raises(ConfigError, match=r"typst.*pip install -e '\.\[article\]'") as refused:
            work()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (words.number(-0.04), "0.0"),
        (words.number(-1234.56), "−1,234.6"),
        (words.number(float("nan")), "–"),
        (words.ranges([20, 1, 4, 5, 6, 9, 10]), "1, 4 to 6, 9, 10 and 20"),
        (words.ranges([]), ""),
        (words.listed(["a"]), "a"),
        (words.listed("abc"), "a, b and c"),
        (words.count(1, "task"), "1 task"),
        (words.setting({"a": [True, None, 1e-5]}), "a: yes, null, 1e-5"),
        (words.breakable("0.015"), "0.015"),
        (words.runs_of("**A.** of ``x_y`` and *b*, 2 * 3 * 4")[1]["text"], " of "),
    ],
)
def test_words(made, text):
    assert made == text


def test_captions_become_runs_of_styled_text():
    runs = words.runs_of("**A.** Of ``x_y``,\n*b*: 2 * 3.")
    assert [(run["style"], run["text"]) for run in runs] == [
        ("strong", "A."),
        ("", " Of "),
        ("code", "x_y"),
        ("", ", "),
        ("emph", "b"),
        ("", ": 2 * 3."),
    ]
