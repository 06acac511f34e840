"""Runs of different seeds, gathered by molap/gathering/seeds.py, say what one run of all seeds says."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from molap.claims.model import TABLES as CLAIM_TABLES
from molap.claims.model import Claims
from molap.claims.page import small
from molap.claims.reading import read_claims
from molap.claims.verdicts import judge
from molap.gathering import seeds as reference
from molap.storage.files import canonical_json

REPOSITORY = Path(__file__).parents[2]
RUN = "results/tiny"


def committed(name, folder="reference"):
    return reference.read(REPOSITORY / "docs" / folder / "tables", name)


@pytest.mark.parametrize("folder", ["reference", "reference_new", "released"])
def test_the_committed_verdicts_are_those_of_the_committed_tables(folder):
    claims = Claims.model_validate(json.loads(canonical_json(read_claims(None).model_dump(mode="json"))))
    tables = {name: table for name in CLAIM_TABLES if (table := committed(name, folder)) is not None}
    found = dict(zip(("claims", "claim_parts"), judge(claims, tables), strict=True))
    for name, table in found.items():
        text = pd.read_csv(
            io.StringIO(table.to_csv(index=False, float_format="%.9g")), keep_default_na=False, na_values=[""]
        )
        pd.testing.assert_frame_equal(text, committed(name, folder), rtol=1e-6)
    page = (REPOSITORY / "docs" / folder / "verdicts.md").read_text()
    for _, row in found["claims"].iterrows():
        assert f"| {row.claim}. {row.says} | {row.verdict}" in page


@pytest.mark.parametrize("folder", ["reference", "reference_new", "released"])
def test_every_committed_table_has_the_same_seeds(folder):
    seeds = {*committed("seeds", folder).network_seed}
    for name in ("performance", "robustness", "areas", "generalisation"):
        table = committed(name, folder)
        assert table is None or {*table.network_seed} == seeds
    assert committed("performance", folder) is not None


def gather(scratch):
    command = [sys.executable, "-m", "molap.gathering.seeds", RUN, "--to", "gathered"]
    return subprocess.run(command, cwd=scratch.folder, env=scratch.environment, capture_output=True, text=True)


def keep_seed(tables: Path, seed: int) -> None:
    """Leave the rows of one network in all tables."""
    for file in tables.glob("*.csv"):
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        if "network_seed" in table:
            table[table.network_seed == str(seed)].to_csv(file, index=False)


@pytest.fixture
def two(changed, tmp_path):
    """Two copies of a run of two seeds, whose tables have one seed each."""
    found = changed, changed.copy(tmp_path / "other")
    for seed, scratch in enumerate(found):
        keep_seed(scratch.folder / RUN / "tables", seed)
    return found


@pytest.mark.exhaustive
def test_seeds_that_are_gathered_give_the_tables_and_verdicts_of_one_run_of_all(finished, two):
    one, other = two
    with contextlib.chdir(other.folder):
        reference.gather(Path(RUN), one.folder / "gathered")  # what follows from both is drawn once
    result = gather(one)
    assert result.returncode == 0, result.stdout + result.stderr
    there, whole = one.folder / "gathered", finished.folder / RUN
    for name in ("performance", "robustness", "areas", "differences", "forgetting", "table1", "claims", "claim_parts"):
        expected = pd.read_csv(whole / "tables" / f"{name}.csv")
        if "network_seed" in expected:
            expected = expected.sort_values("network_seed", kind="stable", ignore_index=True)
        pd.testing.assert_frame_equal(pd.read_csv(there / "tables" / f"{name}.csv"), expected)
    page = (whole / "report" / "claims.md").read_text()
    page = page.replace("](../figures/", "](figures/").replace("claims: tiny\n", "claims: tiny, 2 network seeds\n")
    assert (there / "verdicts.md").read_text() == page
    assert {file.name for file in (there / "figures").iterdir()} == {
        file.name for file in (whole / "figures").glob("*.png")
    }
    for name in ("fig_areas", "fig4", "fig5"):
        assert (there / "figures" / f"{name}.png").read_bytes() == small(whole / "figures" / f"{name}.png")
    seeds = pd.read_csv(there / "tables" / "seeds.csv")
    assert [*seeds.network_seed] == [0, 1] and "jax 0" in seeds.versions[0]


@pytest.mark.exhaustive
def test_a_seed_that_is_gathered_again_takes_its_own_place(two):
    run, to = two[0].folder / RUN, two[0].folder / "gathered"
    reference.gather(run, to)
    first = {file: file.read_bytes() for file in to.rglob("*.*")}
    reference.gather(run, to)
    assert first and {file: file.read_bytes() for file in to.rglob("*.*")} == first


def test_other_kinds_of_a_seed_that_is_there_are_added():
    there = pd.DataFrame(
        {"strategy": "dni", "source": ["rule", "rule", "norule"], "network_seed": [0, 1, 1], "accuracy": [90, 91, 50]}
    )
    new = pd.DataFrame({"strategy": "dni", "source": ["norule", "rule"], "network_seed": [0, 1], "accuracy": [51, 92]})
    found = reference.joined(there, new)
    assert found.to_dict("list") == {
        "strategy": ["dni"] * 4,
        "source": ["rule", "norule", "norule", "rule"],
        "network_seed": [0, 0, 1, 1],
        "accuracy": [90, 51, 50, 92],
    }


def test_each_seed_has_the_commit_of_its_own_last_job(tmp_path):
    configuration = {"seeds": {"data": 0}} | {section: {key: []} for section, key in reference.CHOICES}
    (tmp_path / "configuration.json").write_text(json.dumps(configuration))
    for end, (stage, seeds, commit) in enumerate(
        [("head", [0, 1], "a"), ("evaluation", [1], "c"), ("evaluation", [0], "b"), ("pages", [], "d")]
    ):
        record = {"stage": stage, "code": stage, "settings": {"seeds": seeds}, "git": {"commit": commit}}
        record |= {"machine": {"processor": "CPU"}, "versions": {"jax": "1"}, "time": {"end": end}}
        (tmp_path / f"{9 - end}.record.json").write_text(json.dumps(record))
    made = reference.made_by(tmp_path)
    assert {seed: values["commit"] for seed, values in made["seeds"].items()} == {0: "b", 1: "c"}
    assert made["alike"]["code"] == {"head": "head", "evaluation": "evaluation"}


def test_what_is_known_of_earlier_runs_is_kept(tmp_path):
    file = tmp_path / "made_with.json"
    file.write_text(json.dumps({"code": {"sequence": "old", "head": "1"}, "configuration": {"name": "paper"}}))
    found = reference.check_alike({"code": {"head": "1"}, "configuration": {"name": "paper"}}, file)
    assert found == {"code": {"sequence": "old", "head": "1"}, "configuration": {"name": "paper"}}


@pytest.mark.exhaustive
def test_a_run_that_was_made_otherwise_is_refused_and_nothing_is_changed(two):
    run, to = two[0].folder / RUN, two[0].folder / "gathered"
    reference.gather(run, to)
    values = json.loads((to / "made_with.json").read_text())
    values["configuration"]["heads"]["n_steps"] = 9
    (to / "made_with.json").write_text(json.dumps(values))
    before = {file: file.read_bytes() for file in to.rglob("*.*")}
    with pytest.raises(SystemExit, match=r"configuration heads is .*; nothing was changed"):
        reference.gather(two[1].folder / RUN, to)
    assert {file: file.read_bytes() for file in to.rglob("*.*")} == before
