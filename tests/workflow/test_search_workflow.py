"""`snakemake tune` from beginning to end, and what a change re-runs of it."""

import pandas as pd
import pytest
from workflow_helpers import Scratch

pytestmark = pytest.mark.exhaustive

KINDS = ("separate", "molap-cca", "dni-rule")
ENDS = {"tune_table": 1, "fig_tune": 1}
ONE_GRID = {"search_modules": 1, "search": 2, "search_sequence": 1} | ENDS
BOTH = {"search_modules": 2, "search": 4, "search_sequence": 2} | ENDS
GRIDS = [
    {"readout_init": ["zero", "n_units"], "recurrent_rate": [0.1], "n_steps": [4], "batch_size": [10]},
    {"clip_norm": [None], "n_steps": [3], "batch_size": [10], "batches": ["frozen"]},
]
"""The grids of the tiny configuration."""
WITHOUT_CCA = {
    "primitives": {"sources": ["none"]},
    "perturbations": {"kinds": ["separate"]},
    "generalisation": {"left_out": []},
}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """The tiny configuration's search, and nothing else of it."""
    scratch = Scratch(tmp_path_factory.mktemp("searched"))
    assert scratch.planned("tune") == {"corpus": 1, "primitives": 1, "validation": 1} | BOTH
    result = scratch.run("tune")
    assert result.returncode == 0, result.stdout + result.stderr
    return scratch


def test_every_grid_has_a_row_per_candidate_seed_and_task_and_the_tables_collect_them(searched):
    folder = searched.folder / "results" / "tiny" / "tune"
    for grid, n in (("grid1", 2), ("grid2", 1)):
        for place in ("separate/mem_dm1", "molap-cca/mem_dm1", "dni-rule/sequence"):
            rows = pd.read_csv(folder / grid / f"{place}.csv")
            assert list(rows.network_seed) == [10_000, 10_001] * n and set(rows.task) == {"mem_dm1"}
            assert rows.accuracy.between(0, 100).all() and (rows.failed == (rows.accuracy < rows.best_constant)).all()
    table, choice = (pd.read_csv(folder / f"tune_{name}.csv") for name in ("table", "choice"))
    assert list(table.kind) == [kind for kind in KINDS for _ in range(3)] and set(table.networks) == {2}
    assert list(choice.kind) == [kind for kind in (*KINDS, "all") for _ in range(3)]
    assert set(choice[choice.kind == "all"].networks) == {6}
    for ending in ("png", "svg", "pdf", "csv"):
        assert (folder / f"fig_tune.{ending}").stat().st_size
    assert searched.planned("tune") == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tune": {"grids": [*GRIDS, {"n_steps": [2], "batch_size": [10]}]}}, ONE_GRID),
        ({"tune": {"grids": [GRIDS[0], GRIDS[1] | {"batch_size": [9]}]}}, ONE_GRID),
        ({"tune": {"grids": [GRIDS[0], GRIDS[1] | {"n_steps": [2]}]}}, ONE_GRID | {"search_modules": 0}),
        ({"tune": {"grids": [GRIDS[0] | {"learning_rate": [0.01]}, GRIDS[1]]}}, ONE_GRID | {"search_modules": 0}),
        ({"tune": {"grids": GRIDS[:1]}}, ENDS),
        ({"tune": {"networks": 3}}, BOTH),
        ({"tune": {"kinds": ["separate", "dni-rule"]}}, ENDS),
        ({"tune": {"kinds": [*KINDS, "molap-none"]}}, {"search": 2} | ENDS),
        ({"tune": {"kinds": [*KINDS, "molap-pca"]}}, {"primitives": 1, "search_modules": 2, "search": 2} | ENDS),
        ({"tune": {"tasks": ["mem_dm1", "mem_pro"]}}, {"validation": 1, "search": 4, "search_sequence": 2} | ENDS),
        ({"heads": {"n_steps": 9}, "separate": {"n_steps": 9}, "dni": {"n_steps": 9}}, {}),
        ({"separate": {"learning_rate": 1e-3}}, {"search": 2} | ENDS),
        ({"dni": {"alpha": 0.1}}, {"search_sequence": 2} | ENDS),
        ({"pretraining": {"n_steps": 7}}, {"search_modules": 2, "search": 2} | ENDS),
        ({"corpus": {"n_trials": 50}}, {"corpus": 1, "primitives": 1, "search_modules": 2, "search": 2} | ENDS),
        ({"evaluation": {"n_validation": 25}}, {"validation": 1, "search": 4, "search_sequence": 2} | ENDS),
        ({"seeds": {"networks": 5}}, {}),
        (WITHOUT_CCA, {}),
    ],
)
def test_a_change_reruns_what_depends_on_it_and_no_other_grid(searched, tmp_path, change, expected):
    scratch = searched.copy(tmp_path / "copy")
    scratch.set(**change)
    assert scratch.planned("tune") == {rule: n for rule, n in expected.items() if n}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("molap/analysis/choice.py", "DECIMALS = 1", "DECIMALS = 2", ENDS),
        ("molap/figures/tune.py", "SHOWN = 10", "SHOWN = 9", {"fig_tune": 1}),
        ("molap/training/search.py", "np.inf if", "1e30 if", BOTH),
        ("molap/stages/search_sequence.py", "AT_ONCE = 16", "AT_ONCE = 8", {"search_sequence": 2} | ENDS),
    ],
)
def test_a_changed_module_reruns_what_imports_it(searched, tmp_path, file, old, new, expected):
    scratch = searched.copy(tmp_path / "copy")
    scratch.edit(file, old, new)
    assert scratch.planned("tune") == expected


def test_primitives_are_fitted_for_a_kind_that_the_run_itself_does_not_train(tmp_path):
    scratch = Scratch(tmp_path)
    scratch.set(**WITHOUT_CCA)
    assert scratch.planned("tune") == {"corpus": 1, "primitives": 1, "validation": 1} | BOTH
    assert "primitives" not in scratch.planned()


def test_a_component_that_the_fit_lacks_is_named_in_one_line(searched, tmp_path):
    scratch = searched.copy(tmp_path / "copy")
    scratch.set(network={"n_modules": 12}, perturbations={"module": []})
    result = scratch.run("results/tiny/tune/grid2/molap-cca/modules.npz")
    line = "network.n_modules: 12 is not allowed; there is no component for module"
    assert result.returncode and line in result.stdout + result.stderr
