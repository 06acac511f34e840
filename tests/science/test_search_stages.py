"""The stages of the search against those of an ordinary run that trains as a candidate does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from molap.config.evaluation import CriterionSettings
from molap.config.tune import Candidate
from molap.evaluation.criterion import metrics
from molap.interface import Stages
from molap.networks.rnn import run, select_network
from molap.networks.shared import new_network, task_network
from molap.storage.files import load_arrays, read_table

TASKS = ["delay_pro", "mem_dm1", "context_mem_dm1"]
SMALL = {
    "tasks": {"names": TASKS},
    "corpus": {"n_trials": 40},
    "network": {"n_units": 12},
    "separate_network": {"n_units": 10},
    "pretraining": {"n_steps": 6, "learning_rate": 0.01},
    "dni": {"n_units": 14, "covariance_trials": 10, "learning_rate": 0.02},
    "evaluation": {"n_trials": 20, "stream": "validation"},
    "generalisation": {"left_out": []},
    "figures": {"example_task": "mem_dm1"},
    "tune": {
        "tasks": ["context_mem_dm1", "mem_dm1"],
        "networks": 2,
        "grids": [
            {
                "readout_init": ["zero", "n_units"],
                "recurrent_rate": [1, 0.1],
                "n_steps": [7],
                "batch_size": [10],
                "clip_norm": [None],
                "recurrent_init": ["orthogonal"],
            }
        ],
    },
}
CHOSEN = Candidate(
    readout_init="n_units", recurrent_rate=0.1, n_steps=7, batch_size=10, clip_norm=None, recurrent_init="orthogonal"
)
"""One of these."""
BIASED = {"network": {"n_units": 12, "biases": True}}
OF_TUNE = {"block": "s10000-10001"}


def merged(config, more):
    return config | {section: config.get(section, {}) | values for section, values in more.items()}


def as_a_run(config, tasks=TASKS):
    """The configuration of an ordinary run of these tasks that trains as the chosen candidate does."""
    phase = {"n_steps": CHOSEN.n_steps, "batch_size": CHOSEN.batch_size}
    recurrent = phase | {"recurrent_rate": CHOSEN.recurrent_rate}
    changes = {
        "network": {"readout_init": CHOSEN.readout_init, "recurrent_init": CHOSEN.recurrent_init},
        "optimiser": {"clip_norm": CHOSEN.clip_norm, "decay": CHOSEN.decay},
        "pretraining": {"recurrent_rate": CHOSEN.recurrent_rate, "batch_size": CHOSEN.batch_size},
        "heads": phase,
        "separate": recurrent,
        "dni": recurrent | {"kinds": ["dni-rule", "dni-norule"]},
        "seeds": {"first": 10_000, "networks": 2, "per_job": 2},
        "tasks": {"names": tasks},
    }
    return merged(config, changes)


def searched(config, folder, kind, tasks):
    """The rows of the chosen candidate in the table of a search, by task and seed."""
    stages = Stages(config, str(folder / "search"))
    inputs = {f"validation_{task}": stages.make("testset", "arrays", task=task) for task in tasks}
    if kind.startswith("dni"):
        table = read_table(stages.make("search_sequence", "table", inputs, grid="grid1", kind=kind))
    else:
        inputs = {"validation": inputs[f"validation_{tasks[0]}"]}
        if (source := kind.removeprefix("molap-")) in ("cca", "pca"):
            corpus = stages.make("corpus", "arrays")
            fit = {"primitives": stages.make("primitives", "arrays", {"corpus": corpus}, source=source)}
            inputs["modules"] = stages.make("search_modules", "arrays", fit, grid="grid1", source=source)
        table = read_table(stages.make("search", "table", inputs, grid="grid1", kind=kind, task=tasks[0]))
    assert len(table) == 2 * len(tasks) * (2 if kind == "molap-none" else 4)
    chosen = CHOSEN if kind != "molap-none" else CHOSEN.model_copy(update={"recurrent_rate": 1.0})
    return table[table.candidate == chosen.name].set_index(["task", "network_seed"])


def metrics_of(network, trials):
    return metrics(np.asarray(run(network, jnp.asarray(trials["inputs"]))[0]), trials["targets"], CriterionSettings())


def assert_scores(row, network, trials):
    expected = metrics_of(network, trials)
    assert row.mse == pytest.approx(expected["mse"], rel=1e-5)
    assert row.accuracy == pytest.approx(expected["accuracy"], abs=2.6), "one trial of 20 may be on the edge"


RARELY = {"marks": pytest.mark.benchmarks}
OFTEN = {"marks": pytest.mark.exhaustive}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        pytest.param("separate", {}, **OFTEN),
        pytest.param("separate", BIASED, **RARELY),
        pytest.param("molap-none", {}, **RARELY),
        pytest.param("molap-none", {"network": {"n_units": 12, "inter_module": "zero"}}, **RARELY),
        pytest.param("molap-cca", {}, **RARELY),
        pytest.param("molap-cca", BIASED, **OFTEN),
        pytest.param("molap-pca", {"primitives": {"pca": "joint"}}, **OFTEN),
    ],
)
def test_a_candidate_is_scored_as_the_networks_of_a_run_that_trains_so(kind, more, tmp_path):
    """With modules of its own recurrent weights and seed, by a chain of the stages that an ordinary run has."""
    config = merged(SMALL, more)
    found = searched(config, tmp_path, kind, ["mem_dm1"])
    stages = Stages(as_a_run(config), str(tmp_path / "run"))
    if kind == "separate":
        file = stages.make("separate", "arrays", task="mem_dm1", **OF_TUNE)
    else:
        source = kind.removeprefix("molap-")
        frozen = {"network": stages.pretrained(source)}
        file = stages.make("head", "arrays", frozen, source=source, task="mem_dm1", **OF_TUNE)
    arrays, trials = load_arrays(file), load_arrays(stages.make("testset", "arrays", task="mem_dm1"))
    trained = task_network(arrays, "mem_dm1")
    for place, seed in enumerate((10_000, 10_001)):
        assert_scores(found.loc["mem_dm1", seed], select_network(trained, place), trials)
    assert found.mse.nunique() == 2


@pytest.mark.parametrize(
    ("kind", "more", "mapped"),
    [
        pytest.param("dni-rule", {}, "in turn", **OFTEN),
        pytest.param("dni-rule", {}, "side by side", **RARELY),
        pytest.param("dni-norule", BIASED, "in turn", **OFTEN),
        pytest.param(
            "dni-rule",
            BIASED | {"dni": {"projection": "gradient", "counter": "one_too_high"}},
            "in turn",
            **RARELY,
        ),
    ],
)
def test_a_candidate_learns_tasks_in_turn_as_the_networks_of_a_run_do(kind, more, mapped, tmp_path, monkeypatch):
    if mapped == "side by side":  # as on a GPU
        for module in ("molap.training.loop", "molap.evaluation.validation", "molap.stages.search_sequence"):
            monkeypatch.setattr(f"{module}.over_seeds", jax.vmap)
    config = merged(SMALL, more)
    tasks = config["tune"]["tasks"]
    found = searched(config, tmp_path, kind, tasks)
    monkeypatch.undo()
    stages = Stages(as_a_run(config, tasks), str(tmp_path / "run"))
    inputs = None
    for task in tasks:
        inputs = {"network": stages.make("sequence", "arrays", inputs, kind=kind, order=0, task=task, **OF_TUNE)}
        after = load_arrays(inputs["network"])
        trials = load_arrays(stages.make("testset", "arrays", task=task))
        for place, seed in enumerate((10_000, 10_001)):
            expected = metrics_of(select_network(task_network(after, task), place), trials)["accuracy"]
            assert found.loc[task, seed].accuracy_right_after == pytest.approx(expected, abs=2.6)
    for task in tasks:
        trials = load_arrays(stages.make("testset", "arrays", task=task))
        for place, seed in enumerate((10_000, 10_001)):
            assert_scores(found.loc[task, seed], select_network(task_network(after, task), place), trials)


@pytest.mark.exhaustive
@pytest.mark.parametrize("rule", ["rule", "norule"])
def test_a_first_task_is_learned_alike_with_and_without_protection(rule, tmp_path):
    """So the workflow trains it once."""
    stages = Stages(as_a_run(SMALL), str(tmp_path))
    at = {"order": 0, "task": TASKS[0]} | OF_TUNE
    found, expected = (
        load_arrays(stages.make("sequence", "arrays", kind=f"{strategy}-{rule}", **at))
        for strategy in ("sequential", "dni")
    )
    assert {name for name in expected if name.startswith("memory_")} == expected.keys() - found.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name])


@pytest.mark.exhaustive
def test_a_network_that_goes_out_of_hand_leaves_the_others_their_memory(tmp_path, monkeypatch):
    expected = searched(SMALL, tmp_path, "dni-rule", SMALL["tune"]["tasks"])

    def broken(seed, n_units, gain, init, recurrent_init):
        network = new_network(seed, n_units, gain, init, recurrent_init)
        return network._replace(w_rec=network.w_rec * (np.nan if seed == 10_001 else 1.0))

    monkeypatch.setattr("molap.stages.search_sequence.new_network", broken)
    found = searched(SMALL, tmp_path, "dni-rule", SMALL["tune"]["tasks"])
    for task, seed in found.index:
        if seed == 10_000:
            assert found.loc[task, seed].equals(expected.loc[task, seed])
        else:
            assert found.loc[task, seed].failed and np.isnan(found.loc[task, seed].mse)
