"""Dynamical non-interference: projections, running covariances, and what training with them does to old tasks."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molap.config.network import InitSettings
from molap.config.tasks import TrialSettings
from molap.config.training import OptimiserSettings, PhaseSettings
from molap.networks.masks import all_weights
from molap.networks.rnn import Params, run, stack_networks, to_arrays
from molap.networks.shared import Layout, add_channels, all_inputs, new_network, view
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.dni import (
    Memory,
    Projections,
    empty_memory,
    grow_memory,
    project_updates,
    projection,
    projections,
    remember_task,
)
from molap.training.loop import Protection, Recipe, Watch, train
from molap.training.objectives import task_objective

TASKS = load_tasks()
TRIALS, INIT = TrialSettings(), InitSettings(readout_init="n_units")
WEIGHTS = ("w_in", "w_rec", "w_out")


def covariance(seed: int, n: int, rank: int) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, rank))
    return x @ np.diag(np.logspace(2, -6, rank)) @ x.T


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 30), st.sampled_from([1e-3, 0.1, 10.0]))
def test_projection_is_alpha_times_the_inverse(seed, n, rank, alpha):
    sigma = covariance(seed, n, rank)
    found = projection(sigma, alpha)
    np.testing.assert_allclose(found, alpha * np.linalg.inv(sigma + alpha * np.eye(n)), atol=1e-9)
    np.testing.assert_array_equal(found, found.T)
    values = np.linalg.eigvalsh(found)
    assert values.min() > 0 and values.max() <= 1 + 1e-12


def test_projection_without_protection_is_exactly_the_identity():
    np.testing.assert_array_equal(projection(covariance(0, 7, 7), np.inf), np.eye(7))
    np.testing.assert_array_equal(projection(np.zeros((5, 5)), 1e-3), np.eye(5))


def signals(seed: int, n_inputs: int = 3, n_units: int = 4, n_outputs: int = 2, n_steps: int = 6, n_trials: int = 5):
    draw = np.random.default_rng(seed).normal
    shapes = (n_inputs, n_units, n_outputs)
    return [draw(size=(n_steps, n_trials, n)) for n in shapes] + [draw(size=(n_units, n_inputs + n_units))]


@pytest.mark.parametrize("lag", [1, 2])
@pytest.mark.parametrize("biases", [False, True])
def test_remembered_covariances_against_a_loop(lag, biases):
    x, h, y, w = signals(0)
    start = np.array([0.5, -1.0, 2.0, 0.1]) if biases else None
    if biases:
        w = np.hstack([w, np.ones((4, 1))])
    found = remember_task(empty_memory(3, 4, 2, biases), x, h, y, w, start, lag)
    sums, n = np.zeros((7 + biases, 7 + biases)), 0
    for t in range(6):
        for trial in range(5):
            state = h[t - lag, trial] if t >= lag else (np.zeros(4) if start is None else start)
            z = np.concatenate([x[t, trial], state, [1.0] * biases])
            sums += np.outer(z, z)
            n += 1
    np.testing.assert_allclose(found.z, sums / (n - 1), rtol=1e-12)
    np.testing.assert_allclose(found.wz, w @ (sums / (n - 1)) @ w.T, rtol=1e-12)
    np.testing.assert_allclose(found.y, sum(np.outer(v, v) for v in y.reshape(-1, 2)) / (n - 1), rtol=1e-12)
    assert found.n_tasks == 1


def test_running_average_is_the_average_over_tasks():
    memory, singles = empty_memory(3, 4, 2), []
    for seed in range(5):
        x, h, y, w = signals(seed)
        memory = remember_task(memory, x, h, y, w)
        singles.append(remember_task(empty_memory(3, 4, 2), x, h, y, w))
    for name in ("z", "wz", "y"):
        np.testing.assert_allclose(getattr(memory, name), np.mean([getattr(s, name) for s in singles], axis=0))


def test_memory_of_new_channels_is_empty_and_units_stay_where_they_are():
    memory = Memory(1, np.arange(9.0).reshape(3, 3), np.eye(2), np.array([[5.0]]))
    grown = grow_memory(memory, 1, 2, 1)
    kept = [0, 3, 4]
    np.testing.assert_array_equal(grown.z[np.ix_(kept, kept)], memory.z)
    assert grown.z.sum() == memory.z.sum() and grown.y.tolist() == [[5, 0], [0, 0]] and grown.wz is memory.wz


def test_released_counter_never_sheds_its_empty_start():
    memory, singles = empty_memory(3, 4, 2), []
    for seed in range(4):
        x, h, y, w = signals(seed)
        memory = remember_task(memory, x, h, y, w, counter_offset=1)
        singles.append(remember_task(empty_memory(3, 4, 2), x, h, y, w).z)
    np.testing.assert_allclose(memory.z, sum(singles) / 5)


@pytest.mark.parametrize("biases", [False, True])
def test_projected_updates_against_the_equations(biases):
    draw = np.random.default_rng(1).normal
    u = {"w_in": draw(size=(4, 3)), "w_rec": draw(size=(4, 4)), "w_out": draw(size=(2, 4))}
    u |= {"b_rec": draw(size=4), "b_out": draw(size=2), "h0": draw(size=4)} if biases else {}
    n = 7 + biases
    p = Projections(covariance(0, 4, 4), covariance(1, n, n), covariance(2, 2, 2), covariance(3, n - 3, n - 3))
    transform = project_updates(jax.tree.map(jnp.asarray, p))
    found, state = transform.update({k: jnp.asarray(v) for k, v in u.items()}, transform.init({}))
    w = np.hstack([u["w_in"], u["w_rec"]] + ([u["b_rec"][:, None]] if biases else []))
    out = np.hstack([u["w_out"]] + ([u["b_out"][:, None]] if biases else []))
    w, out = p.wz @ w @ p.z, p.y @ out @ p.h
    expected = {"w_in": w[:, :3], "w_rec": w[:, 3:7], "w_out": out[:, :4]}
    if biases:
        expected |= {"b_rec": w[:, 7], "b_out": out[:, 4], "h0": u["h0"]}
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=2e-4, atol=2e-4 * np.abs(value).max(), err_msg=name)
    assert all((a == b).all() for a, b in zip(state, transform.init({}), strict=True))


def shared(tasks, rule=True, n_units=20, seed=0, gain=1.5):
    layout, network = Layout(), new_network(seed, n_units, gain, INIT)
    for name in tasks:
        network = add_channels(network, layout, TASKS[name], rule, seed, INIT)
        layout = layout.with_task(TASKS[name], rule)
    return network, layout


def learn(network, layout, task, protect=None, gradient=False, n_steps=60):
    phase = PhaseSettings(learning_rate=3e-3, n_steps=n_steps, batch_size=20)
    stacked = stack_networks([network])
    trained, curves = train(
        stacked,
        all_weights(network),
        lambda key: draw_trials(TASKS[task], key, 20, TRIALS)[:2],
        jax.random.key(3)[None],
        Recipe(phase, OptimiserSettings(), task_objective(phase, view=lambda n: view(n, layout, TASKS[task]))),
        Watch(chunk=30),
        protect and Protection(project_updates, Projections(*(p[None] for p in protect)), gradient),
    )
    return jax.tree.map(lambda a: a[0], trained), curves


def memory_of(network, layout, task) -> Memory:
    inputs = draw_trials(TASKS[task], jax.random.key(9), 100, TRIALS).inputs
    _, h = run(view(network, layout, TASKS[task]), inputs)
    h, w = np.asarray(h), np.hstack([network.w_in, network.w_rec])
    y = h @ np.asarray(network.w_out).T
    empty = empty_memory(len(layout.inputs), h.shape[2], len(layout.outputs))
    return remember_task(empty, np.asarray(all_inputs(layout, TASKS[task], jnp.asarray(inputs))), h, y, w)


@pytest.fixture(scope="module")
def after_one_task():
    network, layout = shared(["mem_pro", "delay_anti"])
    trained, _ = learn(network, layout, "mem_pro")
    return trained, layout, memory_of(trained, layout, "mem_pro")


def protected_share(before: Params, after: Params, memory: Memory, alpha: float) -> float:
    """Share of the change of [W_in W_rec] (squared norm) along directions of z with a variance above 100 α."""
    change = np.hstack([after.w_in - before.w_in, after.w_rec - before.w_rec]).astype(float)
    values, vectors = np.linalg.eigh(memory.z)
    used = vectors[:, values > 100 * alpha]
    return float(((change @ used) ** 2).sum() / (change**2).sum())


def test_native_order_leaves_the_protected_subspace_alone_and_the_released_order_does_not(after_one_task):
    network, layout, memory = after_one_task
    protect = projections(memory, len(layout.inputs), 1e-3)
    native, _ = learn(network, layout, "delay_anti", protect)
    released, _ = learn(network, layout, "delay_anti", protect, gradient=True)
    plain, _ = learn(network, layout, "delay_anti")
    shares = [protected_share(network, after, memory, 1e-3) for after in (native, released, plain)]
    assert shares[0] < 1e-3 < 1e-2 < shares[1] < shares[2], shares


def test_the_old_task_is_kept_under_protection_and_lost_without(after_one_task):
    network, layout, memory = after_one_task
    protect = projections(memory, len(layout.inputs), 1e-3)
    trials = draw_trials(TASKS["mem_pro"], jax.random.key(5), 100, TRIALS)

    def change(after):
        old, new = (run(view(n, layout, TASKS["mem_pro"]), trials.inputs)[0] for n in (network, after))
        return float(jnp.mean((new - old) ** 2))

    native, curves = learn(network, layout, "delay_anti", protect)
    plain, _ = learn(network, layout, "delay_anti")
    assert change(native) < 0.05 * change(plain)
    assert curves.mse[0, -10:].mean() < 0.7 * curves.mse[0, 0], "nothing was learned under protection"


def test_without_anything_to_protect_training_is_plain_training(after_one_task):
    network, layout, memory = after_one_task
    updates = {name: jnp.asarray(value) * 1e-3 for name, value in to_arrays(network).items()}
    plain, _ = learn(network, layout, "delay_anti", n_steps=20)
    for protect in (
        projections(memory, len(layout.inputs), np.inf),
        projections(empty_like(memory), len(layout.inputs), 1e-3),
    ):
        same, _ = project_updates(protect).update(updates, protect)
        trained, _ = learn(network, layout, "delay_anti", protect, n_steps=20)
        for name in WEIGHTS:
            np.testing.assert_array_equal(same[name], updates[name], err_msg=name)
            # In training XLA may fuse the update's last multiplication with its addition: one rounding less a step.
            np.testing.assert_allclose(getattr(trained, name), getattr(plain, name), rtol=0, atol=1e-5, err_msg=name)


def empty_like(memory: Memory) -> Memory:
    return Memory(0, *(np.zeros_like(values) for values in memory[1:]))


def test_projections_can_stand_alone_in_a_chain_and_do_not_change_within_a_task():
    network, layout = shared(["delay_pro"])
    weights = to_arrays(network)
    protect = projections(memory_of(network, layout, "delay_pro"), len(layout.inputs), 1e-3)
    chain = optax.chain(optax.adam(1e-2), project_updates(protect))
    state = chain.init(weights)
    gradient = {name: jnp.ones_like(value) for name, value in weights.items()}
    updates, after = jax.jit(chain.update)(gradient, state, weights)
    assert all(bool((a == b).all()) for a, b in zip(state[-1], after[-1], strict=True))
    adam, _ = optax.adam(1e-2).update(gradient, optax.adam(1e-2).init(weights), weights)
    np.testing.assert_allclose(updates["w_out"], protect.y @ adam["w_out"] @ protect.h, rtol=1e-4, atol=1e-7)
