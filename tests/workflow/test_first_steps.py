"""The tutorial of the command line, executed at the tests' size in a copy of the sources."""

import re
import subprocess

import pandas as pd
import pytest
from workflow_helpers import PATH, REPOSITORY, Scratch

pytestmark = pytest.mark.exhaustive

BLOCK = re.compile(r"```(sh|text|yaml)\n(.*?)```", re.DOTALL)
NOT_HERE = ("pip ", "molap ui")
"""Commands that change the environment, or that run until somebody ends them."""


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """The copy in which every command of the page has run: what the page prints, and what was printed here."""
    scratch = Scratch(tmp_path_factory.mktemp("first") / "copy")
    scratch.shrink("quick")
    scratch.edit("molap/claims/claims.yaml", "[T1, T2, T3, T4, T5, T6, T7, T8, T9]", "[T1, T5, T7]")  # its three tasks
    printed: list[tuple[str, str]] = []
    here = ""
    for kind, text in BLOCK.findall((REPOSITORY / "docs" / "first-steps.md").read_text(encoding="utf-8")):
        if kind == "yaml":
            (name,) = re.findall(r"^# (\S+)", text)
            (scratch.folder / name).write_text(text)
        elif kind == "sh" and not text.startswith(NOT_HERE):
            command = ["bash", "-ec", text.replace("context_mem_dm2", "context_mem_dm1").replace("T8", "T7")]
            environment = scratch.environment | {"PATH": PATH}
            result = subprocess.run(command, cwd=scratch.folder, env=environment, capture_output=True, text=True)
            assert result.returncode == 0, text + result.stdout + result.stderr
            here = result.stdout + result.stderr
        elif kind == "text":
            printed.append((text, here))
    return scratch, printed


def words(text: str) -> set[str]:
    """Words that are no numbers, dates or identifiers."""
    return {word for word in text.split() if not re.search(r"\d", word)}


def test_every_command_of_the_page_runs_and_prints_what_the_page_shows(steps):
    _, printed = steps
    assert len(printed) >= 4
    for on_the_page, here in printed:
        assert words(on_the_page) - words(here) == set(), on_the_page + here


def test_the_changed_reading_reaches_only_what_reads_the_corpus(steps):
    scratch, _ = steps
    keys = ["strategy", "source", "task"]
    tables = [pd.read_csv(scratch.folder / f"results/{name}/tables/performance.csv") for name in ("quick", "apart")]
    before, after = (table[table.network_seed == 0].set_index(keys).mse for table in tables)
    moved = {source for (_, source, _), same in (before == after).items() if not same}
    assert moved == {"cca", "pca"} and len(before) == 5 * 3


def test_the_decision_rests_on_three_seeds(steps):
    scratch, _ = steps
    table = pd.read_csv(scratch.folder / "results" / "quick" / "attribution" / "attribution.csv")
    switched = table[table.switch == "alignment"]
    assert set(switched.claim) == {1, 3} and set(switched.n_seeds) == {3}
