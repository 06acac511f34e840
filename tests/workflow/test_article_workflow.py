"""The article of the tiny run, made by the workflow."""

import json
import os

import pandas as pd
import pytest

pytest.importorskip("typst", reason="the extra `article` is not installed")
from workflow_helpers import planned_jobs

pytestmark = pytest.mark.exhaustive
ARTICLE = "results/tiny/report/article.pdf"
BLOCKED = "import sys\nsys.modules['typst'] = None\n"
"""In the copy's `sitecustomize.py`: as if Typst were not installed."""


def test_the_article_of_all_targets_has_their_studies(complete):
    record = json.loads((complete.folder / ARTICLE.replace(".pdf", ".record.json")).read_text())
    assert {"modules", "fig_modules", "baselines", "fig_baselines", "claims", "areas"} <= record["inputs"].keys()
    assert "attribution" not in record["inputs"]
    assert (complete.folder / ARTICLE).read_bytes().startswith(b"%PDF")


def test_without_studies_the_article_is_made_from_the_default_run(changed):
    result = changed.run("article")
    assert result.returncode == 0, result.stdout + result.stderr
    record = changed.folder / ARTICLE.replace(".pdf", ".record.json")
    assert not {"modules", "baselines", "attribution"} & json.loads(record.read_text())["inputs"].keys()
    before = (changed.folder / ARTICLE).read_bytes()
    assert changed.planned("article") == {}
    # Only the article follows its text; the same inputs give the same bytes.
    changed.edit("molap/report/article/text/layout.typ", "// How the article looks", "// How it looks")
    assert changed.planned("article") == {"article_pdf": 1}
    assert changed.run("article").returncode == 0
    assert (changed.folder / ARTICLE).read_bytes() == before
    # A study that exists joins.
    file = changed.folder / "results/tiny/modules/modules.csv"
    assert not file.exists()
    assert "modules_table" not in changed.planned("article")
    assert "modules_table" in changed.planned("article", "modules")


def test_without_typst_nothing_is_run_and_one_line_says_what_to_install(changed):
    (changed.folder / "sitecustomize.py").write_text(BLOCKED)
    result = changed.run("article")
    assert result.returncode and not (changed.folder / ARTICLE).exists()
    said = result.stdout + result.stderr
    assert "the package typst is not installed: pip install -e '.[article]' -c envs/pins.txt" in said
    assert "Traceback" not in said
    other = changed.run("--dry-run")
    assert planned_jobs(other.stdout + other.stderr) == {}, "all other targets do without it"


def test_a_damaged_table_is_not_printed(changed):
    file = changed.folder / "results/tiny/tables/performance.csv"
    table = pd.read_csv(file)
    stat = file.stat()
    table.assign(accuracy=100.0).to_csv(file, index=False)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    result = changed.run("article")
    assert result.returncode and "performance.csv is damaged" in result.stdout + result.stderr
