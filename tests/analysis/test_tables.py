"""Tables from hand-written records, and Table 1's arithmetic."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molap.analysis.collect import components, curves, performance, split_kind
from molap.analysis.counts import counts, table1
from molap.planning.outputs import OUTPUTS, path
from molap.storage.files import FileDamaged, read_json, record_path
from molap.storage.paths import block_name, block_seeds

TASKS = {"delay_pro": "T1", "mem_dm1": "T5"}
KINDS = ["separate", "molap-cca", "molap-none"]
N_WEIGHTS = {"w_in": 3, "w_rec": 100, "w_out": 2}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(file: str, values) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json.dumps(values), encoding="utf-8")


def write_evaluation(kind: str, task: str, block: str, accuracies: list[float]) -> None:
    rows = [
        {
            "network_seed": seed,
            "n_test_trials": 30,
            "accuracy": accuracy,
            "decision_accuracy": accuracy - 1,
            "all_correct": accuracy - 2,
            "best_constant": 50.0,
            "mse": 0.5,
        }
        for seed, accuracy in zip(block_seeds(block), accuracies, strict=True)
    ]
    write(path("evaluation", "tiny", block=block, kind=kind, task=task), rows)


def write_record(file: str, n_trained: int, n_seeds: int = 1, n_steps: int = 4, first: float = 0.0) -> None:
    """A record whose loss at step k of the i-th network is first + 100 i + k; the MSE is half of it."""
    loss = [[first + 100 * i + k for k in range(n_steps)] for i in range(n_seeds)]
    metrics = {
        "n_trained": n_trained,
        "n_updates": n_trained * n_steps,
        "n_weights": sum(N_WEIGHTS.values()),
        "n_weights_of": N_WEIGHTS,
    }
    mse = [[value / 2 for value in row] for row in loss]
    write(record_path(file), {"metrics": metrics, "curves": {"loss": loss, "mse": mse}})


def by_version(table: pd.DataFrame, version: str) -> dict[str, tuple]:
    rows = table[table.version == version].set_index("strategy")
    return {name: tuple(row) for name, row in rows[["overall", "trained", "trained_per_task"]].iterrows()}


def counted_networks(n_modules: int = 2) -> pd.DataFrame:
    """Counts of N = 100, one input, one output for nine tasks: Table 1's own premise."""
    weights = {"weights": 10_200, "w_in": 100, "w_rec": 10_000, "w_out": 100, "b_rec": 0, "b_out": 0, "h0": 0}
    tasks = [f"task{i}" for i in range(9)]
    rows = [{"strategy": "separate", "source": "-", "stage": task, "trained": 10_200} for task in tasks]
    for source in ("cca", "pca", "none"):
        molap = {"strategy": "molap", "source": source}
        if source != "none":
            rows += [molap | {"stage": f"module{m + 1}", "trained": 2_700} for m in range(n_modules)]
        rows += [molap | {"stage": task, "trained": 200} for task in tasks]
    return pd.DataFrame([row | weights for row in rows])


def test_table1_as_printed():
    assert by_version(table1(counted_networks()), "printed") == {
        "separate": (9.18e5, 9.18e5, 1.02e5),
        "dni": (1.02e5, 9.18e5, 1.02e5),
        "molap": (1.2e5, 5.2e3, 2e2),
    }


def test_table1_corrected():
    assert by_version(table1(counted_networks()), "corrected") == {
        "separate": (91_800, 91_800, 10_200),
        "dni": (10_200, 91_800, 10_200),
        "molap": (12_000, 7_000, 200),
        "none": (11_800, 1_800, 200),
    }


def test_table1_counted_from_networks_of_the_papers_premise():
    """As corrected, but that each of the two modules trains the input and readout weights once: 200 more."""
    assert by_version(table1(counted_networks()), "counted") == {
        "separate": (91_800, 91_800, 10_200),
        "molap": (12_000, 2 * 2_700 + 9 * 200, 200),
        "none": (11_800, 1_800, 200),
    }


def test_table1_corrected_follows_sizes():
    corrected = by_version(table1(counted_networks(), n_units=150, n_tasks=4, n_modules=3), "corrected")
    network = 150**2 + 300
    assert corrected["separate"] == (4 * network, 4 * network, network)
    assert corrected["dni"] == (network, 4 * network, network)
    assert corrected["molap"] == (150**2 + 4 * 300 + 300, 3 * 50**2 + 300 + 4 * 300, 300)
    assert corrected["none"] == (150**2 + 4 * 300, 4 * 300, 300)


def test_table1_gives_the_ratio_of_trained_weights():
    table = table1(counted_networks()).set_index(["version", "strategy"]).separate_per_trained
    assert table["printed", "molap"] == pytest.approx(9.18e5 / 5.2e3)
    assert table["corrected", "molap"] == pytest.approx(91_800 / 7_000)
    assert table["counted", "molap"] == pytest.approx(91_800 / 7_200)
    assert np.all(table[:, "separate"] == 1)
    assert table["corrected", "dni"] == 1


def test_table1_counts_biases_and_initial_states_where_they_belong():
    """The recurrent bias is shared; output bias and initial state belong to each task and to pre-training."""
    counted = counted_networks()
    counted[["b_rec", "b_out", "h0"]] = (100, 1, 100)
    overall = by_version(table1(counted), "counted")["molap"][0]
    assert overall == 10_000 + 100 + 10 * (100 + 100 + 1 + 100)


def test_table1_counts_the_first_fitted_source_only():
    counted = counted_networks()
    counted.loc[counted.source == "pca", "trained"] = 10**9
    assert by_version(table1(counted), "counted")["molap"][1] == 7_200


@pytest.mark.parametrize(
    ("sources", "expected"),
    [(["cca", "pca"], {"molap"}), (["-", "none"], {"separate", "none"}), (["-"], {"separate"})],
)
def test_table1_counts_what_there_is(sources, expected):
    counted = counted_networks()
    assert set(by_version(table1(counted[counted.source.isin(sources)]), "counted")) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("separate", ("separate", "-")), ("molap-cca", ("molap", "cca")), ("molap-none", ("molap", "none"))],
)
def test_split_kind(kind, expected):
    assert split_kind(kind) == expected


@pytest.mark.parametrize(
    ("seeds", "name"), [([0], "s0"), (range(3), "s0-2"), ([7], "s7"), (range(10_000, 10_002), "s10000-10001")]
)
def test_block_names_and_seeds_invert_each_other(seeds, name):
    assert block_name(seeds) == name
    assert block_seeds(name) == list(seeds)


def test_a_record_lies_beside_its_output():
    assert record_path("results/r/a.b/t.npz") == "results/r/a.b/t.record.json"


def test_every_output_has_its_own_place():
    templates = [output.template for output in OUTPUTS.values()]
    assert len(set(templates)) == len(templates)
    assert all(template.startswith("{run}/") for template in templates)


def test_performance_has_a_row_per_kind_task_and_seed(here):
    expected = {}
    for k, kind in enumerate(KINDS):
        for t, task in enumerate(TASKS):
            for b, block in enumerate(["s0-1", "s2"]):
                accuracies = [10 * k + 5 * t + 2 * b + i for i in range(len(block_seeds(block)))]
                write_evaluation(kind, task, block, accuracies)
                for seed, accuracy in zip(block_seeds(block), accuracies, strict=True):
                    expected[(*split_kind(kind), task, TASKS[task], seed)] = accuracy
    files = {
        f"{kind}/{task}/{block}": path("evaluation", "tiny", block=block, kind=kind, task=task)
        for kind in KINDS
        for task in TASKS
        for block in ("s0-1", "s2")
    }
    table = performance(files, TASKS)
    names = ["strategy", "source", "task", "label", "network_seed"]
    assert table.set_index(names).accuracy.to_dict() == expected
    assert list(table.columns) == [
        *names, "accuracy", "decision_accuracy", "all_correct", "best_constant", "mse", "n_test_trials"
    ]  # fmt: skip
    assert np.all(table.decision_accuracy == table.accuracy - 1)


def network_path(kind: str, block: str, task: str) -> str:
    strategy, _, source = kind.partition("-")
    at = {"block": block, "task": task} | ({"source": source} if source else {})
    return path("separate" if strategy == "separate" else "head", "tiny", **at)


def write_training(block: str, n_seeds: int = 1, n_steps: int = 4) -> None:
    options = {"n_seeds": n_seeds, "n_steps": n_steps}
    for task in TASKS:
        write_record(network_path("separate", block, task), 105, **options)
        write_record(network_path("molap-cca", block, task), 5, **options)
        write_record(network_path("molap-none", block, task), 6, **options)
    for module in (1, 2):
        file = path("module", "tiny", block=block, source="cca", module=module)
        write_record(file, 25 + module, first=1000 * module, **options)


def records(*blocks: str) -> dict[str, str]:
    """The files of these records by name, in the order of the tables."""
    found = {}
    for kind in KINDS:
        for block in blocks:
            for module in (1, 2) if kind == "molap-cca" else ():
                file = path("module", "tiny", block=block, source="cca", module=module)
                found[f"{kind}/module{module}/{block}"] = record_path(file)
            for task in TASKS:
                found[f"{kind}/{task}/{block}"] = record_path(network_path(kind, block, task))
    return found


STAGES = [
    *(("separate", "-", task) for task in TASKS),
    *(("molap", "cca", stage) for stage in ("module1", "module2", *TASKS)),
    *(("molap", "none", task) for task in TASKS),
]


def test_counts_have_a_row_per_training_stage(here):
    write_training("s0")
    table = counts(records("s0"))
    assert list(zip(table.strategy, table.source, table.stage, strict=True)) == STAGES
    assert list(table.trained) == [105, 105, 26, 27, 5, 5, 6, 6]
    assert np.array_equal(table.updates, 4 * table.trained)
    assert set(table.weights) == {105}
    assert list(table[["w_in", "w_rec", "w_out", "b_rec", "b_out", "h0"]].iloc[0]) == [3, 100, 2, 0, 0, 0]


def test_counts_feed_table1(here):
    write_training("s0")
    counted = by_version(table1(counts(records("s0"))), "counted")
    assert counted == {
        "separate": (210, 210, 105),
        "molap": (100 + 3 * 5, 26 + 27 + 10, 5),
        "none": (100 + 2 * 5, 2 * 6, 6),
    }


def test_curves_average_over_steps_for_each_network(here):
    for block, n_seeds in (("s0-1", 2), ("s2", 1)):
        write_training(block, n_seeds, n_steps=25)
    table = curves(records("s0-1", "s2"))
    assert len(table) == len(STAGES) * 3 * 3
    rows = table[(table.source == "cca") & (table.stage == "module2") & (table.network_seed == 1)]
    assert list(rows.step) == [0, 10, 20]
    assert list(rows.loss) == [2100 + 4.5, 2100 + 14.5, 2100 + 22]
    assert np.array_equal(rows.mse, rows.loss / 2)
    alone = table[(table.source == "cca") & (table.stage == "module1") & (table.network_seed == 2)]
    assert list(alone.loss) == [1004.5, 1014.5, 1022]


def test_curves_keep_every_step_where_asked(here):
    write_training("s0")
    table = curves({"separate/delay_pro/s0": records("s0")["separate/delay_pro/s0"]}, every=1)
    assert list(table.step) == [0, 1, 2, 3] and list(table.loss) == [0, 1, 2, 3]


def test_components_have_a_row_per_source_and_component():
    table = components({"cca": [0.9, 0.8], "pca": [0.5]}, {"cca": [0.4, 0.6], "pca": [0.3]})
    assert table.to_dict("list") == {
        "source": ["cca", "cca", "pca"],
        "component": [1, 2, 1],
        "correlation": [0.9, 0.8, 0.5],
        "target_r2": [0.4, 0.6, 0.3],
    }


@pytest.mark.parametrize("content", [b"", b'{"metrics": ', b"\xff\xfe\x00", b"PK\x03\x04"])
def test_damaged_json_is_refused_by_name(tmp_path, content):
    file = tmp_path / "delay_pro.record.json"
    file.write_bytes(content)
    with pytest.raises(FileDamaged, match=r"delay_pro\.record\.json is damaged"):
        read_json(file)


def test_a_table_names_the_damaged_file_among_good_ones(here):
    write_training("s0")
    damaged = record_path(network_path("molap-cca", "s0", "mem_dm1"))
    (here / damaged).write_text('{"metrics": {"n_tra', encoding="utf-8")
    with pytest.raises(FileDamaged, match=damaged):
        counts(records("s0"))


def test_a_missing_file_is_missing_rather_than_damaged(here):
    with pytest.raises(FileNotFoundError, match=r"evaluation/s0/separate/delay_pro\.json"):
        performance({"separate/delay_pro/s0": "results/tiny/evaluation/s0/separate/delay_pro.json"}, TASKS)


@pytest.mark.parametrize("n_units", [50, 100, 200])
def test_dni_is_counted_at_both_sizes_as_real_networks_are(n_units):
    from molap.config.network import InitSettings
    from molap.networks.masks import all_weights, count_all, count_trained
    from molap.networks.shared import Layout, add_channels, new_network, view
    from molap.tasks.registry import BUILT_IN

    def count(n):
        layout, network, rows = Layout(), new_network(0, n, 1.5, InitSettings()), []
        for task in BUILT_IN:
            network, layout = add_channels(network, layout, task, True, 0, InitSettings()), layout.with_task(task, True)
            seen = view(network, layout, task)
            rows.append({"trained": count_trained(seen, all_weights(seen)), "weights": count_all(network)})
        return pd.DataFrame(rows).assign(strategy="dni", source="rule", w_rec=n * n)

    table = table1(count(n_units)).set_index(["version", "strategy"])
    for version, n in (("counted", n_units), ("counted, N = 100", 100), ("counted, N = 200", 200)):
        real, row = count(n), table.loc[(version, "dni")]
        assert row.overall == real.weights.max() and row.trained == real.trained.sum()
        assert row.trained_per_task == pytest.approx(real.trained.mean())
