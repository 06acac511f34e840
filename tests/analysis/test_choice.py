"""The tables of the search, and the choice by the stated rule, on tables whose right order is worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from workflow_helpers import REPOSITORY

from molap.analysis.choice import FIELDS, choose, collect
from molap.config.run import RunConfig, read
from molap.config.tune import Candidate
from molap.jobs.job import Job
from molap.planning.contents import candidates, grids
from molap.stages import tune_table
from molap.storage.files import read_table, write_table

A, B, C = Candidate(recurrent_rate=0.1), Candidate(recurrent_rate=0.03), Candidate(readout_init="n_units", n_steps=500)
ANY = "molap-none"
COLUMNS = ["kind", "candidate", "rank", "networks", "failed", "accuracy", "lowest_accuracy", "n_steps"]


def rows(kind, candidate, accuracies, task="mem_dm1", **more):
    """Rows of a search: one accuracy per network; failed is what lies below 60, the best constant output."""
    own = {"kind": kind, "candidate": candidate.name} | candidate.model_dump(mode="json")
    return pd.DataFrame(
        [
            own
            | {"network_seed": 10 + i, "task": task, "accuracy": accuracy, "decision_accuracy": accuracy / 2}
            | {"best_constant": 60.0, "mse": 0.1, "failed": accuracy < 60}
            | {name: values[i] for name, values in more.items()}
            for i, accuracy in enumerate(accuracies)
        ]
    )


def order(choice, kind):
    own = choice[choice.kind == kind]
    return list(zip(own["rank"], own.candidate, strict=True))


def test_a_row_per_kind_candidate_and_task_with_means_the_lowest_and_failures():
    table = collect(
        [
            rows("separate", A, [100, 50, 90]),
            rows("separate", A, [80, 80, 80], task="mem_pro"),
            rows("dni-rule", A, [70, 50], accuracy_right_after=[90, 100], failed_right_after=[False, False]),
        ]
    ).set_index(["kind", "candidate", "task"])
    one = table.loc["separate", A.name, "mem_dm1"]
    assert (one.networks, one.failed, one.accuracy, one.lowest_accuracy) == (3, 1, 80, 50)
    assert (one.decision_accuracy, one.best_constant) == (40, 60)
    assert np.isnan(one.accuracy_right_after) and np.isnan(one.failed_right_after)
    assert table.loc["separate", A.name, "mem_pro"].failed == 0
    dni = table.loc["dni-rule", A.name, "mem_dm1"]
    assert (dni.networks, dni.failed, dni.accuracy_right_after, dni.failed_right_after) == (2, 1, 95, 0)
    assert (dni.recurrent_rate, dni.n_steps, dni.readout_init) == (0.1, 1000, "zero") and pd.isna(dni.learning_rate)
    assert list(table.columns[-len(FIELDS) :]) == FIELDS


def test_a_candidate_of_two_grids_counts_once():
    once, twice = (collect([rows("separate", A, [100, 90])] * n) for n in (1, 2))
    pd.testing.assert_frame_equal(once, twice)


def chosen(*tables):
    return choose(collect(tables))


def test_failures_go_before_accuracy_and_accuracy_before_steps():
    fewer_failures = rows("separate", A, [61, 61, 61, 61])
    more_accurate = rows("separate", B, [100, 100, 100, 59])
    least = rows("separate", C, [100, 100, 100, 0])
    choice = chosen(least, more_accurate, fewer_failures)
    assert order(choice, "separate") == [(1, A.name), (2, B.name), (3, C.name)]
    assert list(choice[choice.kind == "separate"].failed) == [0, 1, 1]
    assert order(choice, "all") == order(choice, "separate")
    faster = rows("separate", C, [90.0, 90.04])
    slower = rows("separate", A, [90.0, 90.08])
    assert order(chosen(slower, faster), "separate") == [(1, C.name), (2, A.name)], "90.0 both: fewer steps"
    slower = rows("separate", A, [90.0, 90.12])
    assert order(chosen(faster, slower), "separate") == [(1, A.name), (2, C.name)], "90.1 against 90.0"


def test_those_that_are_level_share_a_rank_in_the_order_in_which_they_were_tried():
    tables = [rows("separate", candidate, [90, 80]) for candidate in (B, A)] + [rows("separate", C, [80, 70])]
    assert order(chosen(*tables), "separate") == [(1, B.name), (1, A.name), (3, C.name)]


def test_all_kinds_together_add_failures_and_average_accuracy_over_kinds():
    """A: 0 + 2 failures. B: 1 + 0. C was not tried for DNI."""
    choice = chosen(
        rows("separate", A, [100, 100, 100]),
        rows("separate", B, [90, 90, 30]),
        rows("separate", C, [100, 100, 100]),
        rows("dni-rule", A, [50, 50]),
        rows("dni-rule", B, [80, 80]),
    )
    assert order(choice, "all") == [(1, B.name), (2, A.name)]
    together = choice[choice.kind == "all"].set_index("candidate")
    assert dict(together.loc[B.name, ["networks", "failed", "accuracy", "lowest_accuracy"]]) == {
        "networks": 5,
        "failed": 1,
        "accuracy": (70 + 80) / 2,
        "lowest_accuracy": 30,
    }
    assert [kind for kind in dict.fromkeys(choice.kind)] == ["separate", "dni-rule", "all"]


def test_a_candidate_of_the_random_reservoir_stands_for_every_rate_of_w_rec():
    """Of `zero` at 1,000 steps with clipping at 0.1, A and B alike; C starts otherwise, and no reservoir tried it."""
    at_rest = Candidate(recurrent_rate=1)
    unlike = Candidate(clip_norm=None)
    choice = chosen(
        rows("separate", A, [90, 90]),
        rows("separate", B, [100, 100]),
        rows("separate", C, [100, 100]),
        rows(ANY, at_rest, [80, 50]),
        rows(ANY, unlike, [80, 80]),
    )
    assert order(choice, ANY) == [(1, unlike.name), (2, at_rest.name)]
    assert order(choice, "all") == [(1, B.name), (2, A.name)]
    assert list(choice[choice.kind == "all"].accuracy) == [(100 + 65) / 2, (90 + 65) / 2]
    assert list(choice[choice.kind == "all"].failed) == [1, 1]
    alone = chosen(rows(ANY, at_rest, [80, 50]), rows(ANY, unlike, [80, 80]))
    assert order(alone, "all") == order(alone, ANY)


@pytest.mark.filterwarnings("error")
def test_the_stage_writes_both_tables_from_those_of_the_search(tmp_path):
    files = {}
    right_after = {"accuracy_right_after": [90.0, 80.0], "failed_right_after": [False, True]}
    parts = rows("separate", A, [100, 90]), rows("dni-rule", A, [70, 50], **right_after)
    for i, part in enumerate(parts):
        files[f"table{i}"] = str(tmp_path / f"{i}.csv")
        write_table(files[f"table{i}"], part)
    outputs = {name: str(tmp_path / f"{name}.csv") for name in ("table", "choice")}
    tune_table.work(Job("tune_table", tune_table.Settings(), files, outputs, ""))
    table, choice = (read_table(path) for path in outputs.values())
    assert list(table.kind) == ["separate", "dni-rule"] and list(table.failed_right_after)[1] == 1
    assert list(choice.columns) == COLUMNS
    assert list(choice.kind) == ["separate", "dni-rule", "all"] and list(choice.networks) == [2, 2, 4]


@pytest.mark.parametrize(("file", "table"), [("tune", "tune"), ("tune_dni", "tune"), ("tune_dni_nine", "tune_nine")])
def test_the_configurations_of_the_search_hold_every_candidate_of_the_committed_tables(file, table):
    config = read(REPOSITORY / f"config/{file}.yaml")
    tried = read_table(REPOSITORY / f"docs/tables/{table}_table.csv")
    for kind in config.tune.kinds:
        names = {Candidate(**one).name for grid in grids(config) for one in candidates(config, grid, kind)}
        assert set(tried[tried.kind == kind].candidate) <= names, kind


def first_choices(file):
    choice = read_table(REPOSITORY / f"docs/tables/{file}.csv")
    return choice[choice["rank"] == 1].groupby("kind").candidate.apply(list)


def test_the_preset_takes_what_the_rule_chose():
    """For DNI over all nine tasks: what it learns first it has to keep longest."""
    first, c = first_choices("tune_choice"), RunConfig()
    first["dni-rule"] = first_choices("tune_nine_choice")["dni-rule"]
    for kind, phase in (("separate", c.separate), ("dni-rule", c.dni)):
        own = Candidate(
            readout_init=c.network.readout_init,
            learning_rate=phase.learning_rate,
            recurrent_rate=phase.recurrent_rate,
            clip_norm=c.optimiser.clip_norm,
            n_steps=phase.n_steps,
        )
        assert own.name in first[kind], kind
    assert Candidate(learning_rate=c.heads.learning_rate, n_steps=c.heads.n_steps).name in first["molap-none"]
    assert f"W_rec × {c.pretraining.recurrent_rate:g}," in first["molap-cca"][0]
