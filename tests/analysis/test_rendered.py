"""The pages about the reference results follow from the committed tables, and their templates hold no numbers."""

import contextlib
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from rendered_pages import (
    COMMITTED,
    REPOSITORY,
    committed,
    flat,
    rendered,
)

from molap.gathering.phrases import WORDS, in_words
from molap.gathering.reference import BLOCK, PAGES, TEMPLATES, WIDTH, main, pages, wrapped
from molap.jobs.command import Refused

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
