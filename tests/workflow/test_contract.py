"""Every configuration key and every module re-runs what the table in `docs/` says, job for job."""

import json
from collections import Counter

import pytest
import yaml
from dry_runs import DryRuns
from reruns import PAGE, TABLE, TARGETS, add_own, keys, modules, page, with_key
from workflow_helpers import planned_jobs

EXPECTED = json.loads(TABLE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def complete(finished, tmp_path_factory):
    """The finished run with all targets."""
    scratch = finished.copy(tmp_path_factory.mktemp("contract") / "copy")
    result = scratch.run(*TARGETS)
    assert result.returncode == 0, result.stdout + result.stderr
    add_own(scratch.folder)
    return scratch


@pytest.fixture(scope="module")
def runs():
    with DryRuns() as process:
        yield process


def planned(runs, scratch, config="tiny.yaml"):
    return planned_jobs(runs(scratch.folder, "--dry-run", *TARGETS, "--configfile", config))


def total(row):
    return dict(Counter(row["first"]) + Counter(row["then"]))


def test_the_table_names_every_key_and_every_module():
    assert list(EXPECTED["keys"]) == [key for key, _ in keys()]
    assert list(EXPECTED["modules"]) == modules()
    assert PAGE.read_text(encoding="utf-8") == page(EXPECTED)


def test_nothing_is_planned_without_a_change(complete, runs):
    assert planned(runs, complete) == {}


@pytest.mark.parametrize("key", EXPECTED["keys"])
def test_a_changed_key_reruns_what_the_table_says(complete, runs, key):
    values = yaml.safe_load((complete.folder / "tiny.yaml").read_text())
    changed = with_key(values, key, EXPECTED["keys"][key]["value"])
    (complete.folder / "changed.yaml").write_text(yaml.safe_dump(changed))
    assert planned(runs, complete, "changed.yaml") == total(EXPECTED["keys"][key])


@pytest.mark.parametrize("module", EXPECTED["modules"])
def test_a_changed_module_reruns_what_the_table_says(complete, runs, module):
    path = complete.folder.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = file.read_text()
    file.write_text(f"{text}\n_CHANGED = True\n")
    try:
        assert planned(runs, complete) == total(EXPECTED["modules"][module])
    finally:
        file.write_text(text)
