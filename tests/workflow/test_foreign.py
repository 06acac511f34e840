"""Results that Snakemake did not make here: their records tell whether they are current."""

import hashlib
import json
import os
import shutil

import pytest
from workflow_helpers import Scratch

from molap.jobs.surroundings import ran_under
from molap.planning import origin
from molap.planning.origin import is_foreign

pytestmark = pytest.mark.exhaustive

HEAD = "results/tiny/networks/s0-1/molap-cca/delay_pro.npz"


def without_metadata(scratch):
    shutil.rmtree(scratch.folder / ".snakemake")
    return scratch


def test_current_results_without_metadata_stay(changed):
    assert without_metadata(changed).planned() == {}


def test_a_change_is_noticed_without_metadata_as_with_it(changed):
    changed.edit("molap/figures/counts.py", "ylim=(50, 3e7)", "ylim=(10, 3e7)")
    changed.set(separate={"learning_rate": 0.001})
    expected = changed.planned()
    assert expected["separate"] == 3 and expected["fig1c"] == 1 and "head" not in expected
    assert without_metadata(changed).planned() == expected


def test_results_of_other_settings_in_a_fresh_clone_are_made_again(finished, tmp_path):
    scratch = Scratch(tmp_path)
    shutil.copytree(finished.folder / "results", tmp_path / "results")
    assert scratch.planned() == {}
    scratch.set(heads={"n_steps": 9})
    assert scratch.planned()["head"] == 11
    result = scratch.run(HEAD)
    assert result.returncode == 0, result.stdout + result.stderr
    record = json.loads((tmp_path / HEAD.replace(".npz", ".record.json")).read_text())
    assert record["settings"]["phase"]["n_steps"] == 9 and scratch.planned()["head"] == 10


@pytest.mark.parametrize(("field", "value"), [("code", "0" * 12), ("settings", {})])
def test_a_result_that_was_replaced_by_another_run_s_is_made_again(changed, field, value):
    path = changed.folder / HEAD.replace(".npz", ".record.json")
    record = json.loads(path.read_text())
    del record["checksum"]
    written = path.stat().st_mtime_ns
    path.write_text(json.dumps(record | {field: value}))
    os.utime(path, ns=(written, written))
    assert changed.planned() == {}, "Snakemake made this file itself"
    os.utime(changed.folder / HEAD)
    assert changed.planned()["head"] == 1


@pytest.mark.parametrize("content", [None, "", "[]", "{}"])
def test_a_result_without_a_record_that_can_be_read_is_made_again(tmp_path, content):
    output, record = tmp_path / "x.npz", tmp_path / "x.record.json"
    assert not is_foreign(str(output), None, "{}", "abc"), "nothing is there"
    output.touch()
    if content is not None:
        record.write_text(content)
    assert is_foreign(str(output), None, "{}", "abc")
    sums = {"x.npz": hashlib.sha256(b"").hexdigest()}
    made = {"settings": {"a": 1, "default": 2}, "code": "abc", "checksums": sums}
    record.write_text(json.dumps(made))
    assert is_foreign(str(output), None, '{"a": 1}', "abc"), "nothing says under which settings of JAX it was made"
    record.write_text(json.dumps(made | {"environment": ran_under()}))
    assert not is_foreign(str(output), None, '{"a": 1}', "abc")
    assert is_foreign(str(output), None, '{"a": 2}', "abc") and is_foreign(str(output), None, '{"a": 1}', "abd")
    output.write_bytes(b"another")
    assert is_foreign(str(output), None, '{"a": 1}', "abc"), "the record is that of another content"


def test_changes_are_told_by_dotted_path():
    old = {"a": {"b": 1, "c": [1, 2]}, "d": {}, "default": 3}
    assert origin.changed(old, {"a": {"b": 1, "c": [1, 2]}, "d": {}}) == {}
    assert origin.changed(old, {"a": {"b": 2, "c": [2, 1]}, "e": None}) == {"a.b": (1, 2), "a.c": ([1, 2], [2, 1])}
