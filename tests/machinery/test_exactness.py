"""Exact re-runs do not hang on a user's defaults: the profiles set what they need, and what takes it away is named."""

import pytest
import yaml
from snakemake.settings.types import RerunTrigger
from workflow_helpers import REPOSITORY

from molap.planning.exactness import MEANINGS, TRIGGERS, inexact

PROFILES = sorted((REPOSITORY / "workflow" / "profiles").glob("*/config.yaml"))


def test_all_triggers_of_snakemake_are_ours():
    assert set(TRIGGERS) == {str(name) for name in RerunTrigger.all()} == MEANINGS.keys()


@pytest.mark.parametrize("profile", PROFILES, ids=lambda file: file.parent.name)
def test_every_profile_sets_them(profile):
    assert yaml.safe_load(profile.read_text())["rerun-triggers"] == list(TRIGGERS)


def test_a_line_names_what_is_missing():
    assert inexact(TRIGGERS) == []
    (line,) = inexact({"mtime"})
    assert line.startswith("--rerun-triggers lacks code, input, params, software-env: ") and "\n" not in line
    assert inexact(TRIGGERS, trusts_cache=True)[0].startswith("--trust-io-cache: ")


@pytest.mark.exhaustive
def test_a_profile_of_the_user_s_does_not_keep_stale_results_and_a_command_line_is_warned_of(changed, monkeypatch):
    profile = changed.folder / "own" / "config.yaml"
    profile.parent.mkdir()
    profile.write_text("rerun-triggers: [mtime]\n")
    changed.set(heads={"n_steps": 9})
    monkeypatch.setenv("SNAKEMAKE_PROFILE", str(profile.parent))
    planned = changed.run("--dry-run")
    assert "Nothing to be done" not in planned.stdout + planned.stderr and "lacks" not in planned.stderr
    for words in (["--rerun-triggers", "mtime"], ["--workflow-profile", "none"]):
        told = changed.run("--dry-run", *words)
        text = told.stdout + told.stderr  # a dry run prints on the first what a run prints on the second
        lines = [line for line in text.splitlines() if line.startswith("--rerun-triggers lacks ")]
        assert len(lines) == 1 and "settings and source" in lines[0], text
    touched = changed.run("--touch")
    text = touched.stdout + touched.stderr
    lines = [line for line in text.splitlines() if line.startswith("--touch: results/tiny/")]
    assert touched.returncode == 0 and len(lines) == 1, text
