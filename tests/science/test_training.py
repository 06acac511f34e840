"""The training loop: what stays frozen, which batches are drawn, and what results do not depend on."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_training import (
    N_STEPS,
    N_UNITS,
    PHASES,
    PLAIN_ADAM,
    WEIGHTS,
    assert_same_bytes,
    keys,
    module,
    networks,
    noisy_batch,
    phase,
    trained,
)

from molap.config.tasks import TrialSettings
from molap.config.training import HeadSettings, OptimiserSettings, RecurrentPhaseSettings
from molap.networks.masks import all_weights, head_weights
from molap.networks.rnn import select_network, to_arrays
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.loop import Watch, checkpoints
from molap.training.objectives import loss


@pytest.mark.parametrize(
    ("name", "biases"),
    [("module1", False), ("module2", False), ("module2-released", True), ("heads", True), ("all", False)],
)
def test_trained_weights_change_and_the_others_stay_the_same_to_the_bit(name, biases):
    seeds = [0, 1]
    before, after, _ = trained(seeds, PHASES[name], start=networks(seeds, biases))
    mask = PHASES[name](select_network(before, 0))
    assert set(to_arrays(after)) == set(to_arrays(before))
    for weight, old in to_arrays(before).items():
        new, may_change = to_arrays(after)[weight], np.broadcast_to(getattr(mask, weight), old.shape[1:])
        for seed in range(len(seeds)):
            assert new[seed][~may_change].tobytes() == old[seed][~may_change].tobytes(), weight
            assert np.all(new[seed][may_change] != old[seed][may_change]), weight


def test_absent_inter_module_weights_stay_absent_to_the_bit():
    before, after, _ = trained([0, 1], module(2), start=networks([0, 1], inter_module="zero"))
    frozen = ~module(2)(select_network(before, 0)).w_rec
    old, new = (np.asarray(params.w_rec[0])[frozen] for params in (before, after))
    assert np.any(old == 0)
    assert new.tobytes() == old.tobytes()


def test_modules_trained_in_turn_keep_each_others_block():
    start, first, _ = trained([0, 1], module(1))
    _, second, _ = trained([0, 1], module(2), start=first)
    half = N_UNITS // 2
    start, first, second = (np.asarray(params.w_rec[0]) for params in (start, first, second))
    assert second[:half, :half].tobytes() == first[:half, :half].tobytes()
    assert np.all(first[:half, :half] != start[:half, :half])
    assert np.all(second[half:, half:] != start[half:, half:])
    assert second[:half, half:].tobytes() == start[:half, half:].tobytes()
    assert second[half:, :half].tobytes() == start[half:, :half].tobytes()


@functools.cache
def recorded_batches(batches: str, chunk: int) -> np.ndarray:
    """The batches of a phase in the order in which they were drawn."""
    found = []

    def draw(key):
        inputs, targets = noisy_batch(key)
        jax.debug.callback(lambda values: found.append(np.asarray(values)), inputs, ordered=True)
        return inputs, targets

    trained([0], draw=draw, optimiser=OptimiserSettings(batches=batches), watch=Watch(chunk=chunk))
    jax.effects_barrier()
    return np.stack(found)


def test_every_step_draws_a_fresh_batch():
    batches = recorded_batches("fresh", 3).reshape(N_STEPS, -1)
    assert len(np.unique(batches, axis=0)) == N_STEPS
    correlations = np.corrcoef(batches) - np.eye(N_STEPS)
    assert np.abs(correlations).max() < 0.65


def test_frozen_batches_are_the_first_fresh_one():
    frozen, fresh = recorded_batches("frozen", 3), recorded_batches("fresh", 3)
    assert len(frozen) == len(fresh) == N_STEPS
    assert np.array_equal(frozen, np.broadcast_to(fresh[0], frozen.shape))


def test_seeds_draw_different_batches():
    _, _, curves = trained([0, 1], start=networks([5, 5]))
    assert np.all(curves.mse[0] != curves.mse[1])


def test_draw_batch_is_traced_once_for_all_steps():
    traces = []

    def draw(key):
        traces.append(key)
        return noisy_batch(key)

    trained([0, 1], draw=draw, phase=phase(n_steps=60), watch=Watch(chunk=6))
    assert len(traces) == 1


@functools.cache
def reference():
    """Two networks after 13 steps in one chunk, and their curves."""
    return trained([0, 1], optimiser=PLAIN_ADAM, phase=phase(n_steps=13))[1:]


@pytest.mark.parametrize("chunk", [1, 4, 5])
def test_results_do_not_depend_on_chunks_and_checkpoints(chunk):
    """Nor do the curves; every chunk is reported."""
    whole, whole_curves = reference()
    seen = []
    watch = Watch(lambda step, mse: seen.append((step, mse)), lambda step, weights: None, chunk)
    _, divided, curves = trained([0, 1], optimiser=PLAIN_ADAM, phase=phase(n_steps=13), watch=watch)
    ends = sorted({*range(chunk, 13, chunk), 1, 2, 5, 10, 13})
    assert [step for step, _ in seen] == ends
    np.testing.assert_allclose([mse for _, mse in seen], curves.mse.mean(axis=0)[np.array(ends) - 1], rtol=1e-6)
    assert curves.loss.shape == curves.mse.shape == (2, 13)
    assert_same_bytes(divided, whole)
    assert np.array_equal(curves.loss, whole_curves.loss)
    assert np.array_equal(curves.mse, whole_curves.mse)


@pytest.mark.parametrize("megabytes", [0, 0.02])
def test_results_do_not_depend_on_how_many_batches_are_drawn_at_a_time(megabytes, monkeypatch):
    whole, whole_curves = reference()
    monkeypatch.setattr("molap.training.loop.BATCHES_MB", {"cpu": megabytes, "gpu": megabytes})
    seen = []
    watch = Watch(lambda step, mse: seen.append(step))
    _, divided, curves = trained([0, 1], optimiser=PLAIN_ADAM, phase=phase(n_steps=13), watch=watch)
    assert seen == [13]
    assert_same_bytes(divided, whole)
    assert np.array_equal(curves.loss, whole_curves.loss)


def test_results_do_not_depend_on_which_seeds_share_a_job():
    _, together, curves = trained([0, 1, 2], state_noise=0.01)
    for seed in (0, 1, 2):
        _, single, single_curves = trained([seed], state_noise=0.01)
        assert_same_bytes(select_network(single, 0), select_network(together, seed))
        assert np.array_equal(single_curves.loss[0], curves.loss[seed])


def test_the_same_seeds_give_the_same_bytes_and_others_do_not():
    one, curves = reference()
    _, again, again_curves = trained([0, 1], optimiser=PLAIN_ADAM, phase=phase(n_steps=13))
    assert_same_bytes(one, again)
    assert curves.loss.tobytes() == again_curves.loss.tobytes()
    assert np.all(np.asarray(one.w_rec[0]) != np.asarray(one.w_rec[1]))


def test_state_noise_differs_from_step_to_step():
    """With the same batch and no learning, only the noise can change the error."""
    still, constant_batch = phase(learning_rate=1e-30), lambda _: noisy_batch(jax.random.key(7))
    _, _, noisy = trained([0], draw=constant_batch, phase=still, state_noise=0.1)
    _, _, quiet = trained([0], draw=constant_batch, phase=still)
    assert len(np.unique(quiet.mse)) == 1
    assert len(np.unique(noisy.mse)) == N_STEPS


def numpy_loss(params, inputs, targets, weight_penalty, activity_penalty):
    """The loss in float64, and its mean squared error."""
    w = {name: np.asarray(value, np.float64) for name, value in to_arrays(params).items()}
    h, rates, outputs = np.zeros((inputs.shape[1], len(w["w_rec"]))), [], []
    h = h + w.get("h0", 0)
    for x in np.asarray(inputs, np.float64):
        h = np.tanh(h @ w["w_rec"].T + x @ w["w_in"].T + w.get("b_rec", 0))
        rates.append(h)
        outputs.append(h @ w["w_out"].T + w.get("b_out", 0))
    mse = ((np.array(outputs) - targets) ** 2).mean()
    penalty = weight_penalty * sum((w[name] ** 2).sum() for name in WEIGHTS)
    return mse + penalty + activity_penalty * (np.array(rates) ** 2).mean(), mse


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize(("weight_penalty", "activity_penalty"), [(0.0, 0.0), (1e-2, 0.0), (0.0, 0.5), (1e-5, 1e-7)])
def test_loss_equals_a_numpy_computation(biases, weight_penalty, activity_penalty):
    params = select_network(networks([3], biases), 0)
    inputs, targets = noisy_batch(jax.random.key(1))
    total, mse = loss(params, inputs, targets, weight_penalty, activity_penalty)
    expected = numpy_loss(params, inputs, targets, weight_penalty, activity_penalty)
    np.testing.assert_allclose([total, mse], expected, rtol=1e-5)


def test_curves_hold_the_loss_of_each_batch_before_its_update():
    before, after, curves = trained([4], optimiser=PLAIN_ADAM, phase=phase(n_steps=5))
    _, _, longer = trained([4], optimiser=PLAIN_ADAM, phase=phase(n_steps=6))
    for params, k in ((before, 0), (after, 5)):
        key = jax.random.split(jax.random.fold_in(keys([4])[0], k))[0]
        expected = numpy_loss(select_network(params, 0), *noisy_batch(key), 1e-5, 1e-7)
        np.testing.assert_allclose([longer.loss[0, k], longer.mse[0, k]], expected, rtol=1e-5)
    np.testing.assert_allclose(longer.loss[:, :5], curves.loss, rtol=1e-5)


def test_weight_penalty_shrinks_trained_weights_only():
    """With targets met from the start, only the penalty acts."""

    def silent(key):
        return jnp.zeros((5, 3, 1)), jnp.zeros((5, 3, 1))

    before, after, _ = trained([0], module(1), silent, phase=phase(weight_penalty=1.0, learning_rate=1e-3))
    block = np.s_[0, : N_UNITS // 2, : N_UNITS // 2]
    assert np.all(np.abs(np.asarray(after.w_rec[block])) < np.abs(np.asarray(before.w_rec[block])) + 1e-2)
    assert np.sum(np.square(after.w_rec[block])) < np.sum(np.square(before.w_rec[block]))
    outside = np.s_[0, N_UNITS // 2 :]
    assert np.asarray(after.w_rec[outside]).tobytes() == np.asarray(before.w_rec[outside]).tobytes()


def changes(phase, trainable) -> dict[str, np.ndarray]:
    """How far each weight moves in one step of Adam, whose first update is the gradient's sign."""
    before, after, _ = trained([0, 1], trainable, optimiser=PLAIN_ADAM, phase=phase)
    return {name: np.abs(value - to_arrays(before)[name]) for name, value in to_arrays(after).items()}


@pytest.mark.parametrize(
    ("settings", "trainable", "expected"),
    [
        (RecurrentPhaseSettings, all_weights, {"w_in": 1e-2, "w_rec": 1e-3, "w_out": 3e-2}),
        (HeadSettings, head_weights, {"w_in": 1e-2, "w_rec": 0, "w_out": 3e-2}),
    ],
)
def test_a_phases_factors_scale_the_learning_rates_of_their_weights(settings, trainable, expected):
    rates = {"readout_rate": 3.0} | ({} if settings is HeadSettings else {"recurrent_rate": 0.1})
    found = changes(settings(learning_rate=1e-2, n_steps=1, batch_size=4, **rates), trainable)
    for name, size in expected.items():
        np.testing.assert_allclose(found[name], size, rtol=0.05, atol=1e-7, err_msg=name)


def test_factors_of_one_give_the_bytes_of_a_phase_without_them():
    factors = RecurrentPhaseSettings(**phase().model_dump(), recurrent_rate=1.0)
    assert_same_bytes(trained([0, 1])[1], trained([0, 1], phase=factors)[1])


def spoilt_from(step: int, place: int):
    """A draw function whose targets are infinite from the batch of `step` of one network on."""
    bad = jnp.stack(
        [
            jax.random.key_data(jax.random.split(jax.random.fold_in(keys(range(3))[place], k))[0])
            for k in range(step, N_STEPS)
        ]
    )

    def draw(key):
        inputs, targets = noisy_batch(key)
        is_bad = jnp.any(jnp.all(bad == jax.random.key_data(key), axis=1))
        return inputs, jnp.where(is_bad, jnp.inf, targets)

    return draw


@pytest.mark.parametrize(("step", "place", "chunk"), [(0, 0, 100), (3, 2, 2)])
def test_a_loss_that_is_not_finite_is_named_with_its_step_and_network(step, place, chunk):
    with pytest.raises(FloatingPointError, match=rf"at step {step} \(network {place} of this job\)"):
        trained(range(3), draw=spoilt_from(step, place), watch=Watch(chunk=chunk))


@given(n_steps=st.integers(1, 1_000_000))
def test_checkpoints_begin_before_the_first_step_end_with_the_last_and_are_even_on_a_logarithmic_scale(n_steps):
    steps = checkpoints(n_steps)
    assert steps[0] == 0 and steps[-1] == n_steps and list(steps) == sorted(set(steps))
    ratios = np.array(steps[2:]) / np.array(steps[1:-1])
    assert np.all(ratios <= 2.5) and np.all(ratios[:-1] >= 2)


@pytest.mark.parametrize("decay", ["constant", "stages"])
def test_a_checkpoint_holds_the_weights_of_a_run_that_was_stopped_there(decay):
    """With stages of 5 steps, a run of two stages is the beginning of one of three."""
    kept = {}

    def settings(n_stages):
        optimiser = OptimiserSettings(decay=decay, n_stages=n_stages)
        return {"optimiser": optimiser, "phase": phase(n_steps=5 * n_stages)}

    start, last, _ = trained([0, 1], watch=Watch(keep=kept.__setitem__), **settings(3))
    assert tuple(kept) == (0, 1, 2, 5, 10, 15)
    stopped = {5 * n: trained([0, 1], **settings(n))[1] for n in (1, 2)}
    for step, expected in ((0, start), *stopped.items(), (15, last)):
        assert_same_bytes(start._replace(**kept[step]), expected)


def test_a_head_learns_delay_pro():
    task, settings = load_tasks()["delay_pro"], TrialSettings()

    def draw(key):
        trials = draw_trials(task, key, 20, settings)
        return trials.inputs, trials.targets

    start = networks([0], n_units=16, n=3)
    learning = phase(learning_rate=1e-2, n_steps=300)
    _, _, curves = trained([0], head_weights, draw, start=start, phase=learning)
    first, last = curves.mse[0, 0], curves.mse[0, -20:].mean()
    targets = np.asarray(draw(jax.random.key(0))[1])
    best_constant = targets.var(axis=(0, 1)).mean()
    assert last < 0.25 * first
    assert last < 0.5 * best_constant
