"""Schedules against closed forms, and the optimiser against plain loops in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from small_optimiser import (
    BLOCK,
    N_STEPS,
    RATE,
    SHAPES,
    TRAIN_ALL,
    TRAIN_BLOCK,
    assert_same_path,
    first_weights,
    gradients,
    numpy_adam,
    optimise,
    rates_by_step,
    settings,
)

from molap.training.dni import Projections, project_updates
from molap.training.optimiser import (
    clip_by_norm,
    learning_rate,
    make_optimiser,
    scale_by_stage_adam,
    scale_rates,
    stage_index,
)


def test_cosine_decays_to_zero_over_the_phase():
    expected = RATE * 0.5 * (1 + np.cos(np.pi * np.arange(40) / 40))
    np.testing.assert_allclose(rates_by_step(40, decay="cosine"), expected, atol=1e-6 * RATE)
    end = learning_rate(RATE, 40, settings(decay="cosine"))(jnp.int32(40))
    assert float(end) == pytest.approx(0, abs=1e-9)


def test_stages_are_of_equal_length_each_a_third_of_the_last():
    expected = np.repeat([RATE * (1 / 3) ** stage for stage in range(5)], 8)
    np.testing.assert_allclose(rates_by_step(40, decay="stages", n_stages=5), expected, rtol=1e-5)


@pytest.mark.parametrize(("n_stages", "factor"), [(1, 0.5), (3, 0.5), (10, 0.9)])
def test_stages_follow_their_number_and_factor(n_stages, factor):
    rates = rates_by_step(30, decay="stages", n_stages=n_stages, stage_factor=factor)
    np.testing.assert_allclose(rates, [RATE * factor ** (k // (30 // n_stages)) for k in range(30)], rtol=1e-5)


def test_constant_rate_never_decays():
    np.testing.assert_allclose(rates_by_step(20, decay="constant"), np.full(20, RATE), rtol=1e-6)


@pytest.mark.parametrize(("n_steps", "n_stages"), [(10, 3), (7, 5), (3, 5), (1_000_000, 100)])
def test_stage_index_divides_steps_evenly(n_steps, n_stages):
    steps = np.unique(np.linspace(0, n_steps - 1, 1000).astype(int))
    expected = [int(k) * n_stages // n_steps for k in steps]
    found = jax.vmap(lambda step: stage_index(step, n_steps, n_stages))(jnp.asarray(steps, jnp.int32))
    assert np.array_equal(found, expected)


def test_stage_index_stays_in_the_last_stage_after_the_phase():
    assert int(stage_index(jnp.int32(25), 20, 4)) == 3


@pytest.mark.parametrize("clip_norm", [None, 0.1, 3.0])
@pytest.mark.parametrize("mask", [TRAIN_ALL, TRAIN_BLOCK], ids=["all", "block"])
def test_optimiser_equals_an_adam_loop(clip_norm, mask):
    transform = make_optimiser(RATE, N_STEPS, settings(clip_norm=clip_norm), mask)
    expected = numpy_adam(gradients(), mask, clip_norm, [RATE] * N_STEPS, range(1, N_STEPS + 1))
    assert_same_path(optimise(transform, gradients()), expected)


@pytest.mark.parametrize("decay", ["cosine", "stages"])
def test_optimiser_follows_its_schedule(decay):
    chosen = settings(decay=decay, clip_norm=0.1)
    rates = rates_by_step(N_STEPS, decay=decay)
    expected = numpy_adam(gradients(), TRAIN_ALL, 0.1, rates, range(1, N_STEPS + 1))
    assert_same_path(optimise(make_optimiser(RATE, N_STEPS, chosen, TRAIN_ALL), gradients()), expected)


FACTORS = {"w_rec": 0.1, "w_in": 3.0, "w_out": 0.5}
"""One of them of a weight that is not trained here."""


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("decay", ["cosine", "stages", "constant"])
@pytest.mark.parametrize(("clip_norm", "mask"), [(0.1, TRAIN_BLOCK), (None, TRAIN_ALL)], ids=["clipped-block", "all"])
def test_the_whole_chain_with_factors_on_rates_equals_an_adam_loop(decay, clip_norm, mask, traced):
    """With numbers that the program has as constants, and with numbers that it is given."""
    factors, options, rate = FACTORS, {}, RATE
    if traced:
        factors, rate = {name: jnp.float32(factor) for name, factor in FACTORS.items()}, jnp.float32(RATE)
        options = {"clip_norm": jnp.float32(jnp.inf if clip_norm is None else clip_norm)}
    chosen = settings(decay=decay, clip_norm=3.0 if traced else clip_norm)
    transform = make_optimiser(rate, N_STEPS, chosen, mask, factors=factors, **options)
    rates, counts = rates_by_step(N_STEPS, decay=decay), range(1, N_STEPS + 1)
    expected = numpy_adam(gradients(), mask, clip_norm, rates, counts, FACTORS)
    ours = optimise(transform, gradients())
    assert_same_path(ours, expected)
    without = numpy_adam(gradients(), mask, clip_norm, rates, counts)
    assert np.abs(ours[-1]["w_in"] - without[-1]["w_in"]).max() > 0.05
    frozen = np.broadcast_to(mask["w_rec"], (4, 4)) == 0
    assert ours[-1]["w_rec"][frozen].tobytes() == first_weights()["w_rec"][frozen].tobytes()


def test_factors_on_rates_scale_the_updates_of_their_weights_alone():
    updates = {name: jnp.asarray(value) for name, value in first_weights().items()}
    scaled, _ = scale_rates({"w_rec": 0.25}).update(updates, optax.EmptyState())
    assert np.array_equal(scaled["w_rec"], 0.25 * first_weights()["w_rec"])
    assert scaled["w_in"] is updates["w_in"]
    scaled, _ = scale_rates({"w_rec": 1.0, "w_in": 1.0}).update(updates, optax.EmptyState())
    assert all(scaled[name] is updates[name] for name in SHAPES)


def protecting(n_protected: int = 2) -> tuple[Projections, np.ndarray]:
    """Projections that take out some directions of z = [x; h] altogether, and these directions."""
    used = np.linalg.qr(np.random.default_rng(2).normal(size=(6, n_protected)))[0]
    keep_all = [jnp.eye(n) for n in (4, 2, 4)]
    z = jnp.asarray(np.eye(6) - used @ used.T, jnp.float32)
    return Projections(wz=keep_all[0], z=z, y=keep_all[1], h=keep_all[2]), used


def test_factors_on_rates_leave_the_protected_subspace_alone():
    """Weights of different rates share it; a factor after the projection would turn updates back into it."""
    protect, used = protecting()
    weights = {name: jnp.zeros(shape) for name, shape in (SHAPES | {"w_out": (2, 4)}).items()}
    sequence = [g | {"w_out": np.ones((2, 4), np.float32)} for g in gradients()]
    train_all = dict.fromkeys(weights, True)
    native = make_optimiser(
        RATE, N_STEPS, settings(clip_norm=0.1), train_all, last=project_updates(protect), factors=FACTORS
    )
    projected = make_optimiser(RATE, N_STEPS, settings(clip_norm=0.1), train_all, last=project_updates(protect))
    wrong = optax.chain(projected, scale_rates(FACTORS))
    leaks = {}
    for name, transform in (("native", native), ("wrong", wrong)):
        state, leaks[name] = transform.init(weights), []
        for gradient in sequence:
            updates, state = transform.update(gradient, state, weights)
            change = np.hstack([updates["w_in"], updates["w_rec"]])
            leaks[name].append(np.abs(change @ used).max() / np.abs(change).max())
    assert max(leaks["native"]) < 1e-6 < 0.05 < min(leaks["wrong"])


def test_what_is_projected_is_the_update_with_the_factors():
    protect, _ = protecting()
    weights = {name: jnp.zeros(shape) for name, shape in (SHAPES | {"w_out": (2, 4)}).items()}
    gradient = gradients()[0] | {"w_out": np.ones((2, 4), np.float32)}
    found = {}
    for name, last in (("plain", None), ("projected", project_updates(protect))):
        transform = make_optimiser(RATE, N_STEPS, settings(), dict.fromkeys(weights, True), last=last, factors=FACTORS)
        found[name], _ = transform.update(gradient, transform.init(weights), weights)
    plain, projected = found["plain"], found["projected"]
    expected = np.hstack([plain["w_in"], plain["w_rec"]]) @ np.asarray(protect.z)
    np.testing.assert_allclose(np.hstack([projected["w_in"], projected["w_rec"]]), expected, atol=1e-7)
    assert np.abs(plain["w_rec"]).max() == pytest.approx(0.1 * RATE, rel=1e-3)
    np.testing.assert_allclose(np.abs(plain["w_out"]), 0.5 * RATE, rtol=1e-3)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e19])
def test_an_infinite_norm_clips_nothing_to_the_bit(scale):
    """Not even where the norm overflows, and ∞ / ∞ would be no number."""
    assert scale < 1e19 or np.isinf(optax.tree.norm(gradients(scale)[0]))
    clip = jax.jit(lambda norm, g: clip_by_norm(norm).update(g, optax.EmptyState())[0])
    for gradient in gradients(scale)[:3]:
        kept = clip(jnp.float32(jnp.inf), gradient)
        for name in SHAPES:
            assert np.asarray(kept[name]).tobytes() == gradient[name].tobytes(), name
    none = make_optimiser(RATE, N_STEPS, settings(clip_norm=None), TRAIN_BLOCK)
    infinite = make_optimiser(RATE, N_STEPS, settings(clip_norm=0.1), TRAIN_BLOCK, clip_norm=jnp.float32(jnp.inf))
    for one, other in zip(optimise(none, gradients(scale)), optimise(infinite, gradients(scale)), strict=True):
        for name in SHAPES:
            assert np.isfinite(one[name]).all()
            np.testing.assert_array_equal(one[name], other[name])


def test_a_norm_that_the_program_is_given_clips_as_a_constant_does():
    constant = make_optimiser(RATE, N_STEPS, settings(clip_norm=0.1), TRAIN_BLOCK)
    given = make_optimiser(RATE, N_STEPS, settings(clip_norm=None), TRAIN_BLOCK, clip_norm=jnp.float32(0.1))
    assert_same_path(optimise(constant, gradients()), optimise(given, gradients()))


def test_clipping_measures_what_is_trained_only():
    """A huge gradient at a frozen entry must not shrink the step of the others."""
    quiet = gradients()
    loud = [{"w_in": g["w_in"], "w_rec": np.where(BLOCK > 0, g["w_rec"], 1e6)} for g in quiet]
    loud = [{name: value.astype(np.float32) for name, value in g.items()} for g in loud]
    transform = make_optimiser(RATE, N_STEPS, settings(clip_norm=0.1), TRAIN_BLOCK)
    assert_same_path(optimise(transform, loud), optimise(transform, quiet))


@pytest.mark.parametrize("n_stages", [1, 3, 5])
def test_stage_adam_equals_a_loop_that_counts_stages(n_stages):
    counts = [k * n_stages // N_STEPS + 1 for k in range(N_STEPS)]
    expected = numpy_adam(gradients(), TRAIN_ALL, None, [1.0] * N_STEPS, counts)
    transform = optax.chain(scale_by_stage_adam(N_STEPS, n_stages), optax.scale(-1.0))
    ours = optimise(transform, gradients())
    for one, other in zip(ours, expected, strict=True):
        for name in SHAPES:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-4)


def test_released_optimiser_has_a_constant_rate_and_counts_stages():
    released = settings(adam_count="stage", n_stages=3)
    counts = [k * 3 // N_STEPS + 1 for k in range(N_STEPS)]
    expected = numpy_adam(gradients(), TRAIN_BLOCK, None, [RATE] * N_STEPS, counts)
    assert_same_path(optimise(make_optimiser(RATE, N_STEPS, released, TRAIN_BLOCK), gradients()), expected)


def settled_step(adam_count: str, n_steps: int) -> float:
    """Size of the update after `n_steps` equal gradients, in units of the learning rate."""
    transform = make_optimiser(1.0, n_steps, settings(adam_count=adam_count, n_stages=1), {"w": True})
    weights = {"w": jnp.zeros(1)}

    def step(state, _):
        updates, state = transform.update({"w": jnp.ones(1)}, state, weights)
        return state, updates["w"][0]

    return -float(jax.lax.scan(step, transform.init(weights), length=n_steps)[1][-1])


def test_counting_stages_shrinks_steps_to_a_third():
    assert settled_step("step", 8000) == pytest.approx(1, rel=1e-3)
    assert settled_step("stage", 8000) == pytest.approx(np.sqrt(0.001) / 0.1, rel=1e-3)


def test_counting_stages_starts_like_adam():
    """At the first step both counts are 1, and the update is the gradient's sign."""
    assert settled_step("step", 1) == pytest.approx(1, rel=1e-5)
    assert settled_step("stage", 1) == pytest.approx(1, rel=1e-5)
