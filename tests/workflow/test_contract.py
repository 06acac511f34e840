"""Every configuration key and every module re-runs what the table in `docs/` says, job for job.

The first test derives each row of the table from the workflow's graph, the settings of its jobs and the imports of
their programs. The others change one key or module for each distinct row, and compare with what Snakemake plans.
"""

import contextlib
import json
from collections import Counter

import pytest
import yaml
from dry_runs import DryRuns
from reruns import (
    PAGE,
    TABLE,
    TARGETS,
    add_own,
    graph,
    keys,
    modules,
    of_module,
    page,
    prepare,
    row,
    settings,
    with_key,
)
from workflow_helpers import dry_runs, planned_jobs

from molap.config.run import parse_config
from molap.planning.plan import Plan

EXPECTED = json.loads(TABLE.read_text(encoding="utf-8"))


def counts(name):
    """The first and the following jobs of a key or module."""
    found = EXPECTED["keys"].get(name) or EXPECTED["modules"][name]
    return {part: found[part] for part in ("first", "then")}


def total(name):
    """The number of jobs by rule that a key or module re-runs."""
    return dict(sorted((Counter(counts(name)["first"]) + Counter(counts(name)["then"])).items()))


def one_of_each(names):
    """One of the keys or modules that re-run the same jobs."""
    return list({json.dumps(total(name)): name for name in reversed(names)}.values())[::-1]


OTHER_GRAPH = ["claims.modules", "seeds.first"]
"""Keys that change the graph itself, and re-run what another key does."""
TRIED = {
    "keys": [*one_of_each(list(EXPECTED["keys"])), *OTHER_GRAPH],
    "modules": one_of_each(list(EXPECTED["modules"])),
}


def test_the_table_names_every_key_and_every_module():
    assert list(EXPECTED["keys"]) == [key for key, _ in keys()]
    assert list(EXPECTED["modules"]) == modules()
    assert PAGE.read_text(encoding="utf-8") == page(EXPECTED)


@pytest.mark.exhaustive
def test_rows_follow_from_the_graph_the_settings_and_the_imports(tmp_path):
    """Keys that change the graph itself are left to the runs below."""
    with contextlib.chdir(tmp_path):  # where the keys that name files find them
        prepare(tmp_path)
        nodes = graph(dry_runs(), tmp_path, "tiny.yaml")
        values = yaml.safe_load((tmp_path / "tiny.yaml").read_text())
        before = Plan(parse_config(values))
        now = {node.outputs: settings(before, node) for node in nodes}
        other = []
        for module in EXPECTED["modules"]:
            assert row(of_module(module, nodes), nodes) == counts(module), module
        for key in EXPECTED["keys"]:
            after = Plan(parse_config(with_key(values, key, EXPECTED["keys"][key]["value"])))
            try:
                found = row([node for node in nodes if settings(after, node) != now[node.outputs]], nodes)
            except (KeyError, ValueError):  # a job that the changed configuration does not have
                found = None
            if found != counts(key):
                other.append(key)
    assert {*other} <= {*TRIED["keys"]}
    assert len(other) < len(EXPECTED["keys"]) / 4


@pytest.fixture(scope="module")
def copy(complete, tmp_path_factory):
    """A copy with a user's task, reservoir and claims, for the keys that name files."""
    scratch = complete.copy(tmp_path_factory.mktemp("contract") / "copy")
    add_own(scratch.folder)
    return scratch


@pytest.fixture(scope="module")
def planned(copy):
    """A function configuration → number of planned jobs by rule, in the copy as it is then."""
    dry_run = "--dry-run", *TARGETS, "--configfile"
    with DryRuns(str(copy.folder), *dry_run, "tiny.yaml") as runs:
        yield lambda config="tiny.yaml": planned_jobs(runs(copy.folder, *dry_run, config))


@pytest.mark.exhaustive
def test_nothing_is_planned_without_a_change(planned):
    assert planned() == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("key", TRIED["keys"])
def test_a_changed_key_reruns_what_the_table_says(copy, planned, key):
    values = yaml.safe_load((copy.folder / "tiny.yaml").read_text())
    changed = with_key(values, key, EXPECTED["keys"][key]["value"])
    (copy.folder / "changed.yaml").write_text(yaml.safe_dump(changed))
    assert planned("changed.yaml") == total(key)


@pytest.mark.exhaustive
@pytest.mark.parametrize("module", TRIED["modules"])
def test_a_changed_module_reruns_what_the_table_says(copy, planned, module):
    path = copy.folder.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = file.read_text()
    file.write_text(f"{text}\n_CHANGED = True\n")
    try:
        assert planned() == total(module)
    finally:
        file.write_text(text)
