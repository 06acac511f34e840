"""Results of two machines for different seeds become one run, and nothing is computed again."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from workflow_helpers import Scratch

TABLE = "results/tiny/tables/performance.csv"


def merge(here, source):
    command = [sys.executable, "-m", "molap.gathering.merge", str(source)]
    return subprocess.run(command, cwd=here.folder, env=here.environment, capture_output=True, text=True)


@pytest.mark.exhaustive
def test_two_machines_seeds_are_one_run_and_only_tables_are_made(tmp_path):
    here, other, both = (Scratch(tmp_path / name) for name in ("here", "other", "both"))
    for scratch, seeds in ((here, {"networks": 1}), (other, {"networks": 1, "first": 1}), (both, {"networks": 2})):
        scratch.set(seeds={"per_job": 1} | seeds, dni={"kinds": []}, primitives={"sources": ["cca"]})
        scratch.set(perturbations={"kinds": []}, generalisation={"left_out": []})
        result = scratch.run(TABLE)
        assert result.returncode == 0, result.stdout + result.stderr
    before = {path: path.read_bytes() for path in here.folder.glob("results/tiny/networks/**/*.npz")}
    result = merge(here, other.folder / "results" / "tiny")
    # Of the other seed: the reservoir, two modules, three heads, three separate networks, six evaluations.
    assert result.stdout.startswith("15 outputs copied, "), result.stdout + result.stderr
    here.set(seeds={"networks": 2})
    assert here.planned(TABLE) == {"performance": 1}
    assert here.run(TABLE).returncode == 0
    assert before == {path: path.read_bytes() for path in before}
    assert (here.folder / TABLE).read_bytes() == (both.folder / TABLE).read_bytes()


def test_a_damaged_or_missing_file_is_refused_and_nothing_is_copied(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    head = "networks/s0-1/molap-none/mem_dm1.npz"
    for name in (head, head.replace(".npz", ".record.json")):
        os.remove(changed.folder / "results" / "tiny" / name)
    content = (source / head).read_bytes()
    for damage in (content[:-9], None):
        os.remove(source / head)
        if damage:
            (source / head).write_bytes(damage)
        result = merge(changed, source)
        assert result.returncode == 1
        assert f"{head} is missing, or not what its record says; nothing was copied" in result.stderr
        assert not (changed.folder / "results" / "tiny" / head).exists()


def test_results_that_were_made_otherwise_are_refused(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    path = source / "testsets" / "mem_dm1.record.json"
    changed_record(path, code="0" * 12)
    result = merge(changed, source)
    assert (
        result.returncode == 1
        and "mem_dm1.record.json was made with different code than results/tiny/" in result.stderr
    )


def changed_record(path, **values):
    """A record with other values, as another machine could have written it."""
    record = json.loads(path.read_text()) | values
    del record["checksum"]
    path.write_text(json.dumps(record))


def test_a_seed_that_both_machines_computed_to_other_bytes_is_refused(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    changed_record(source / "networks/s0-1/separate/mem_dm1.record.json", checksums={"mem_dm1.npz": "0" * 64})
    result = merge(changed, source)
    assert result.returncode == 1 and "separate/mem_dm1.npz differs from results/tiny/" in result.stderr
    assert "take disjoint seeds; nothing was copied" in result.stderr


def test_a_corpus_of_other_rounding_is_told_and_kept(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    changed_record(source / "corpus/corpus.record.json", checksums={"corpus.npz": "0" * 64})
    result = merge(changed, source)
    assert result.stdout.startswith("0 outputs copied, ")
    assert (
        "results/tiny/corpus/corpus.npz: made alike elsewhere, to other last bits; the one here is kept"
        in result.stdout
    )


def test_seeds_in_other_blocks_are_refused(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    for folder in ("networks", "evaluation"):
        (source / folder / "s0-1").rename(source / folder / "s1-2")
    result = merge(changed, source)
    assert result.returncode == 1
    assert "has network seeds in the block s1-2, here is s0-1: both hold seed 1; take disjoint seeds" in result.stderr


def test_tables_of_all_seeds_are_made_here_wherever_they_lie(changed, tmp_path):
    source = changed.copy(tmp_path / "other").folder / "results" / "tiny"
    for name in ("tables/performance", "figures/fig2"):
        changed_record(source / f"{name}.record.json", settings={"blocks": ["s2-3"]})
    table = source / "modules" / "modules.record.json"
    table.parent.mkdir(exist_ok=True)
    shutil.copyfile(source / "tables/performance.record.json", table)
    changed_record(table, stage="modules", checksum="")
    result = merge(changed, source)
    assert result.stdout.startswith("0 outputs copied, "), result.stderr


def test_a_folder_without_results_is_refused(changed, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    result = merge(changed, empty)
    assert result.returncode == 1 and result.stderr.startswith(
        f"python -m molap.gathering.merge: {empty} holds no records"
    )
