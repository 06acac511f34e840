"""The network that all tasks share: its channels, its views, joint training, sequences and their summary."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from molap.analysis.continual import forgetting
from molap.config.base import ConfigError
from molap.config.network import InitSettings, NetworkSettings
from molap.config.run import parse_config
from molap.config.tasks import TASK_NAMES, TrialSettings
from molap.config.training import PhaseSettings
from molap.jobs.job import run_job
from molap.networks.rnn import run, select_network, to_arrays
from molap.networks.shared import Layout, add_channels, all_inputs, channels_of, new_network, task_network, view
from molap.planning.contents import task_order
from molap.planning.plan import Plan
from molap.randomness import named_key
from molap.stages import joint, scores, sequence
from molap.storage.files import load_arrays
from molap.storage.paths import block_seeds
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.objectives import loss

TASKS = load_tasks()
TRIALS = TrialSettings()
PLAIN, BIASED = InitSettings(), InitSettings(biases=True)


def build(names, rule, settings=PLAIN, seed=0, n_units=8):
    layout, network = Layout(), new_network(seed, n_units, 1.5, settings)
    for name in names:
        network = add_channels(network, layout, TASKS[name], rule, seed, settings)
        layout = layout.with_task(TASKS[name], rule)
    return network, layout


@pytest.mark.parametrize("n_channels", [2, 4])
def test_inputs_of_other_channels_than_the_task_s_are_refused(n_channels):
    _, layout = build(["mem_pro"], True)
    with pytest.raises(ValueError, match=f"inputs: {n_channels} channels are not allowed; mem_pro has 3"):
        all_inputs(layout, TASKS["mem_pro"], np.zeros((5, 4, n_channels), np.float32))


def test_tasks_share_channels_by_name():
    _, layout = build(TASK_NAMES, rule=False)
    assert layout == Layout(("fixation", "cos", "sin", "stream1", "stream2"), ("fixation", "cos", "sin", "choice"))
    network, layout = build(TASK_NAMES, rule=True)
    assert len(layout.inputs) == 5 + 9 and layout.inputs[3] == "rule:delay_pro"
    assert network.w_in.shape == (8, 14) and network.w_out.shape == (4, 8) and network.b_rec is None


@pytest.mark.parametrize("settings", [PLAIN, BIASED])
def test_a_further_task_adds_channels_and_changes_nothing_else(settings):
    before, old = build(["mem_dm1"], True, settings)
    after, new = build(["mem_dm1", "multi_mem", "delay_pro"], True, settings)
    np.testing.assert_array_equal(after.w_in[:, : len(old.inputs)], before.w_in)
    np.testing.assert_array_equal(after.w_out[: len(old.outputs)], before.w_out)
    np.testing.assert_array_equal(after.w_rec, before.w_rec)
    assert (after.h0 is None) == (not settings.biases) and after.w_in.shape[1] == len(new.inputs)
    names = {name: column for name, column in zip(new.inputs, after.w_in.T, strict=True)}
    other, layout = build(["delay_pro", "multi_mem", "mem_dm1"], True, settings)
    for name, column in zip(layout.inputs, other.w_in.T, strict=True):
        ratio = column / names[name]  # 1/N_in is that of the task that brings the channel
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("rule", [True, False])
@pytest.mark.parametrize("settings", [PLAIN, BIASED])
@pytest.mark.parametrize("task", ["mem_dm2", "delay_anti", "context_mem_dm1"])
def test_a_view_computes_what_the_whole_network_computes(rule, settings, task):
    network, layout = build(TASK_NAMES, rule, settings)
    inputs = np.asarray(draw_trials(TASKS[task], jax.random.key(0), 7, TRIALS).inputs)
    whole, h = run(network, all_inputs(layout, TASKS[task], jnp.asarray(inputs)))
    seen, h_seen = run(view(network, layout, TASKS[task]), jnp.asarray(inputs))
    np.testing.assert_allclose(h_seen, h, atol=2e-5)
    places = [layout.outputs.index(name) for name in TASKS[task].outputs]
    np.testing.assert_allclose(seen, whole[..., places], atol=1e-4)


def test_a_file_tells_the_view_of_each_of_its_tasks_for_all_seeds():
    network, layout = build(["mem_pro", "multi_mem"], True)
    arrays = {name: np.stack([value, 2 * value]) for name, value in to_arrays(network).items()}
    for name in ("mem_pro", "multi_mem"):
        arrays |= channels_of(layout, TASKS[name])
    found, expected = task_network(arrays, "multi_mem"), view(network, layout, TASKS["multi_mem"])
    for name in ("w_in", "w_rec", "w_out", "b_rec"):
        np.testing.assert_array_equal(getattr(found, name)[0], getattr(expected, name))
        np.testing.assert_array_equal(getattr(found, name)[1], 2 * getattr(expected, name))
    plain = {"w_in": np.ones((2, 4, 3)), "w_rec": np.ones((2, 4, 4)), "w_out": np.ones((2, 3, 4))}
    assert task_network(plain, "mem_pro").w_in.shape == (2, 4, 3)


def test_joint_loss_is_the_mean_of_the_tasks_losses():
    network, layout = build(["mem_pro", "mem_dm1"], True)
    tasks = [TASKS[name] for name in ("mem_pro", "mem_dm1")]
    batches = [draw_trials(task, jax.random.key(i), 5, TRIALS)[:2] for i, task in enumerate(tasks)]
    phase = PhaseSettings(learning_rate=1e-3, weight_penalty=0, activity_penalty=0)
    total, mse = joint.joint_objective(phase, 0.0, layout, tasks)(network, batches, jax.random.key(0))
    single = [loss(view(network, layout, t), *batch, 0.0, 0.0)[1] for t, batch in zip(tasks, batches, strict=True)]
    np.testing.assert_allclose(mse, np.mean(single), rtol=1e-5)
    assert float(total) == float(mse)


def config(**dni):
    small = {"n_units": 6, "n_steps": 4, "joint_steps": 4, "batch_size": 6, "covariance_trials": 5} | dni
    values = {"name": "t", "tasks": {"names": ["mem_pro", "mem_dm1", "multi_mem"]}, "dni": small}
    values |= {"seeds": {"networks": 2, "per_job": 2}, "evaluation": {"n_trials": 12}}
    return parse_config(values | {"tune": {"tasks": ["mem_pro"]}, "figures": {"example_task": "mem_pro"}})


def run_stage(stage, module, settings, output, **inputs):
    name = "rows" if stage == "scores" else "arrays"
    words = ["--settings", settings, "--output", f"{name}={output}"]
    for name, file in inputs.items():
        words += ["--input", f"{name}={file}"]
    run_job(stage, module.Settings, module.work, words)
    return output


def learn_sequence(folder, c, kind="dni-rule", order=0, last=None):
    plan, files = Plan(c), {}
    before = {}
    for task in task_order(c, order)[:last]:
        at = {"block": "s0-1", "kind": kind, "order": str(order), "task": task}
        output = folder / f"{task}.npz"
        run_stage("sequence", sequence, plan.settings("sequence", "t", **at), output, **before)
        before, files[task] = {"network": output}, output
    return files


@pytest.mark.exhaustive
def test_the_first_task_is_learned_as_without_protection(native, tmp_path):
    files = [native, learn_sequence(tmp_path, config(), "sequential-rule", last=2)]
    first = [load_arrays(of_kind["mem_pro"]) for of_kind in files]
    last = [load_arrays(of_kind["mem_dm1"]) for of_kind in files]
    for name in ("w_in", "w_rec", "w_out"):
        np.testing.assert_array_equal(first[0][name], first[1][name])
        assert (last[0][name] != last[1][name]).any()
    assert "memory_z" in first[0] and "memory_z" not in first[1]
    assert last[0]["memory_z"].shape == (2, 4 + 2 + 6, 4 + 2 + 6) and last[0]["memory_wz"].shape == (2, 6, 6)


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    return learn_sequence(tmp_path_factory.mktemp("native"), config(), last=2)


@pytest.mark.parametrize(
    "change", [{"projection": "gradient"}, {"counter": "one_too_high"}, {"state": "lagged"}, {"alpha": 1.0}]
)
def test_every_departure_of_the_released_code_is_a_switch_that_acts_on_the_second_task(native, tmp_path, change):
    changed = learn_sequence(tmp_path, config(**change), last=2)
    first, last = ([load_arrays(of[task])["w_rec"] for of in (native, changed)] for task in ("mem_pro", "mem_dm1"))
    np.testing.assert_array_equal(*first)
    assert (last[0] != last[1]).any()


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["dni-rule", "dni-norule"])
def test_scores_of_a_sequence_hold_every_place_and_task(tmp_path, kind):
    c = config(orders=2)
    files = learn_sequence(tmp_path, c, kind, order=1)
    plan = Plan(c)
    from molap.stages import testset

    for task in c.tasks.names:
        files[f"testset_{task}"] = run_stage(
            "testset", testset, plan.settings("testset", "t", task=task), tmp_path / f"test_{task}.npz"
        )
    settings = plan.settings("scores", "t", block="s0-1", kind=kind, order="1")
    rows = json.loads(run_stage("scores", scores, settings, tmp_path / "scores.json", **files).read_text())
    table = pd.DataFrame(rows)
    assert len(table) == 2 * 4 * 3 and set(table.order) == {1} and set(table.network_seed) == set(block_seeds("s0-1"))
    assert table[table.place > 0].drop_duplicates("place").after.tolist() == task_order(c, 1)
    (summary,) = forgetting(table[table.network_seed == 0].assign(strategy="dni", source="rule")).to_dict("records")
    end = table[(table.place == 3) & (table.network_seed == 0)].accuracy.mean()
    assert summary["accuracy_average"] == pytest.approx(end)
    order, mse = task_order(c, 1), table.set_index(["place", "network_seed", "task"]).mse
    last = load_arrays(files[order[-1]])
    for i, task in enumerate(order):
        drawn = load_arrays(files[f"testset_{task}"])
        for seed in (0, 1):
            untrained, layout = build(order[: i + 1], kind == "dni-rule", PLAIN, seed, n_units=6)
            at_place = {0: view(untrained, layout, TASKS[task]), 3: select_network(task_network(last, task), seed)}
            for place, network in at_place.items():
                expected = np.mean((np.asarray(run(network, jnp.asarray(drawn["inputs"]))[0]) - drawn["targets"]) ** 2)
                assert mse[place, seed, task] == pytest.approx(expected, rel=1e-4), (place, seed, task)


def test_what_is_remembered_of_a_network_with_biases_is_what_its_units_receive(tmp_path):
    c = config(n_steps=3).model_copy(update={"network": NetworkSettings(biases=True)})
    files = learn_sequence(tmp_path, c, last=2)
    first, second = (load_arrays(files[task]) for task in ("mem_pro", "mem_dm1"))
    for i, seed in enumerate((0, 1)):
        network = select_network(task_network(first, "mem_pro"), i)
        key = named_key(0, "covariance", "mem_pro", seed)
        x, h = np.asarray(draw_trials(TASKS["mem_pro"], key, 5, TRIALS).inputs), np.asarray(network.h0)[None]
        received = []
        for x_t in x:
            received.append(x_t @ network.w_in.T + h @ network.w_rec.T + network.b_rec)
            h = np.tanh(received[-1])
        flat = np.concatenate(received).astype(float)
        np.testing.assert_allclose(first["memory_wz"][i], flat.T @ flat / (len(flat) - 1), rtol=1e-3, atol=1e-4)
    assert first["memory_z"].shape == (2, 4 + 6 + 1, 4 + 6 + 1)
    np.testing.assert_array_equal(first["h0"], second["h0"])
    assert (first["b_rec"] != second["b_rec"]).any()


def test_forgetting_and_transfer_of_a_known_matrix():
    a = np.array([[10, 20, 30], [90, 40, 35], [95, 80, 50], [60, 85, 70]], float)
    rows = [
        {"place": j, "after": "xyz"[j - 1] if j else "", "task": "xyz"[i], "accuracy": a[j, i]}
        for j in range(4)
        for i in range(3)
    ]
    scored = pd.DataFrame(rows).assign(strategy="dni", source="rule", order=0, network_seed=0)
    (found,) = forgetting(scored, ["accuracy"]).to_dict("records")
    assert found["accuracy_average"] == pytest.approx((60 + 85 + 70) / 3)
    assert found["accuracy_right_after"] == pytest.approx((90 + 80 + 70) / 3)
    assert found["accuracy_forgetting"] == pytest.approx(((95 - 60) + (80 - 85)) / 2)
    assert found["accuracy_backward_transfer"] == pytest.approx(((60 - 90) + (85 - 80)) / 2)
    assert found["accuracy_forward_transfer"] == pytest.approx(((40 - 20) + (50 - 30)) / 2)


def test_orders_are_permutations_that_a_further_task_leaves_as_they_are():
    few, all_nine = config(), parse_config({"name": "nine"})
    assert task_order(few, 0) == ["mem_pro", "mem_dm1", "multi_mem"]
    seen = {tuple(task_order(all_nine, order)) for order in range(20)}
    assert len(seen) == 20 and all(sorted(order) == sorted(TASK_NAMES) for order in seen)
    for order in range(1, 6):
        assert task_order(few, order) == [name for name in task_order(all_nine, order) if name in few.tasks.names]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"alpha": 0}, "dni.alpha: 0 is not allowed"),
        ({"kinds": ["dni"]}, "dni.kinds.0: 'dni' is not allowed; allowed: 'dni-rule'"),
        (
            {"kinds": ["dni-rule", "dni-rule"]},
            "dni.kinds: ['dni-rule', 'dni-rule'] is not allowed; each may appear once",
        ),
        ({"orders": 0}, "dni.orders: 0 is not allowed"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line(change, complaint):
    with pytest.raises(ConfigError) as refusal:
        config(**change)
    assert str(refusal.value).startswith(complaint) and "\n" not in str(refusal.value)
