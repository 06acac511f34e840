"""The diffs of docs/your-own.md: a further table, figure and perturbation, added to a copy and run."""

import re
import subprocess

import pandas as pd
import pytest
from workflow_helpers import REPOSITORY, Scratch

pytestmark = pytest.mark.exhaustive


def apply(scratch: Scratch, *files: str) -> None:
    """Apply the page's diffs of some files."""
    page = (REPOSITORY / "docs" / "your-own.md").read_text(encoding="utf-8")
    diffs = re.findall(r"^```diff\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    chosen = {re.search(r"^\+\+\+ b/(\S+)$", diff, re.MULTILINE)[1]: diff for diff in diffs}
    for file in files:
        subprocess.run(["git", "apply", "-"], input=chosen[file], text=True, cwd=scratch.folder, check=True)


def test_a_table_and_a_figure_are_a_function_a_program_and_a_row_each(changed):
    table = "molap/analysis/spread.py", "molap/stages/spread.py", "molap/planning/tables.py"
    apply(changed, *table, "molap/figures/spread.py", "molap/stages/fig_spread.py", "molap/planning/figures.py")
    assert changed.planned() == {"spread": 1, "fig_spread": 1, "pages": 1, "claims_page": 1, "provenance": 1}
    result = changed.run()
    assert result.returncode == 0, result.stdout + result.stderr
    results = changed.folder / "results" / "tiny"
    found = pd.read_csv(results / "tables" / "spread.csv", keep_default_na=False)
    accuracy = pd.read_csv(results / "tables" / "performance.csv", keep_default_na=False).groupby(
        ["strategy", "source", "task"]
    )
    assert len(found) == accuracy.ngroups
    for row in found.itertuples():
        expected = accuracy.get_group((row.strategy, row.source, row.task)).accuracy
        assert (row.lowest, row.highest) == (expected.min(), expected.max())
    assert all((results / "figures" / f"fig_spread.{ending}").exists() for ending in ("png", "svg", "pdf", "csv"))
    assert (results / "report" / "spread.html").exists()


def test_a_perturbation_is_a_function_a_line_and_its_strengths(changed):
    apply(changed, "molap/evaluation/perturbations.py", "molap/config/perturbations.py")
    result = changed.run("results/tiny/figures/fig_areas.png", "results/tiny/figures/fig4.png")
    assert result.returncode == 0, result.stdout + result.stderr
    table = pd.read_csv(changed.folder / "results/tiny/tables/robustness.csv")
    flipped = table[table.perturbation == "flip"]
    assert set(flipped.strength) == {0, 2, 10} and (flipped.n_hit[flipped.strength == 10] > 0).all()
    assert "flip" in set(pd.read_csv(changed.folder / "results/tiny/figures/fig4.csv").perturbation)
