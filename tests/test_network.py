"""The network's run and gradient against independent loops, and the moments of its initial weights."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from molap.config.network import InitSettings
from molap.network import (
    Params,
    draw_b_rec,
    draw_params,
    draw_state_noise,
    draw_w_rec,
    from_arrays,
    respond,
    run,
    select_network,
    stack_networks,
    to_arrays,
)
from molap.randomness import named_key

N_STEPS, N_TRIALS, N_INPUTS, N_UNITS, N_OUTPUTS = 7, 3, 2, 5, 2
WEIGHTS = Params._fields


def small_network(*optional: str, seed: int = 0) -> Params:
    """A network with the `optional` weights, each drawn on its own scale."""
    generator = np.random.default_rng(seed)
    shapes = {
        "w_in": (N_UNITS, N_INPUTS),
        "w_rec": (N_UNITS, N_UNITS),
        "w_out": (N_OUTPUTS, N_UNITS),
        "b_rec": (N_UNITS,),
        "b_out": (N_OUTPUTS,),
        "h0": (N_UNITS,),
    }
    names = ("w_in", "w_rec", "w_out", *optional)
    return Params(**{n: jnp.asarray(0.6 * generator.normal(size=shapes[n]), jnp.float32) for n in names})


def small_inputs(n_steps: int = N_STEPS, seed: int = 1):
    generator = np.random.default_rng(seed)
    return jnp.asarray(generator.normal(size=(n_steps, N_TRIALS, N_INPUTS)), jnp.float32)


def small_noise(seed: int = 2):
    generator = np.random.default_rng(seed)
    return jnp.asarray(0.3 * generator.normal(size=(N_STEPS, N_TRIALS, N_UNITS)), jnp.float32)


def loop_run(weights: dict, inputs, noise=None):
    """Eq. 1 in float64, one trial and one step at a time."""
    weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    n_units, n_outputs = len(weights["w_rec"]), len(weights["w_out"])
    inputs = np.asarray(inputs, np.float64)
    n_steps, n_trials = inputs.shape[:2]
    outputs, h = np.zeros((n_steps, n_trials, n_outputs)), np.zeros((n_steps, n_trials, n_units))
    for trial in range(n_trials):
        state = weights.get("h0", np.zeros(n_units))
        for t in range(n_steps):
            total = weights["w_rec"] @ state + weights["w_in"] @ inputs[t, trial]
            total = total + weights.get("b_rec", 0) + (0 if noise is None else np.asarray(noise)[t, trial])
            state = np.tanh(total)
            h[t, trial] = state
            outputs[t, trial] = weights["w_out"] @ state + weights.get("b_out", 0)
    return outputs, h


def scan_run(params: Params, inputs, noise=None):
    """Eq. 1 as a plain scan, differentiated by JAX itself."""
    zero = jnp.zeros(params.w_rec.shape[0])
    b_rec = zero if params.b_rec is None else params.b_rec
    start = zero if params.h0 is None else params.h0

    def step(h, place):
        total = jnp.einsum("ij,bj->bi", params.w_rec, h) + jnp.einsum("ic,bc->bi", params.w_in, place[0])
        h = jnp.tanh(total + b_rec + place[1])
        y = jnp.einsum("oi,bi->bo", params.w_out, h) + (0 if params.b_out is None else params.b_out)
        return h, (y, h)

    noise = jnp.zeros((*inputs.shape[:2], len(zero))) if noise is None else noise
    return jax.lax.scan(step, jnp.tile(start, (inputs.shape[1], 1)), (inputs, noise))[1]


def scan_respond(params: Params, inputs, noise=None):
    """What training sees of `scan_run`."""
    outputs, h = scan_run(params, inputs, noise)
    return outputs, jnp.mean(h**2)


def score(outputs, h):
    """A loss on outputs and rates in which every step, trial and output has its own weight."""
    weights = np.random.default_rng(3).normal(size=outputs.shape)
    return (weights * outputs**2).sum() + 0.7 * (h**2).sum()


@partial(jax.jit, static_argnums=0)
def jax_score(respond_function, params, inputs, noise=None):
    outputs, activity = respond_function(params, inputs, noise)
    weights = jnp.asarray(np.random.default_rng(3).normal(size=outputs.shape), jnp.float32)
    return jnp.sum(weights * outputs**2) + 0.7 * activity * inputs.shape[0] * inputs.shape[1] * N_UNITS


OPTIONAL = [(), ("h0",), ("b_rec", "b_out", "h0")]


@pytest.mark.parametrize(("optional", "with_noise"), [((), False), (("h0",), True), (OPTIONAL[2], True)])
def test_run_equals_a_loop_over_trials_and_steps(optional, with_noise):
    params, inputs = small_network(*optional), small_inputs()
    noise = small_noise() if with_noise else None
    outputs, h = run(params, inputs, noise)
    expected_outputs, expected_h = loop_run(to_arrays(params), inputs, noise)
    np.testing.assert_allclose(outputs, expected_outputs, atol=2e-6)
    np.testing.assert_allclose(h, expected_h, atol=2e-6)


@pytest.mark.parametrize(("optional", "n_steps"), [((), N_STEPS), (OPTIONAL[2], N_STEPS), (OPTIONAL[2], 1)])
def test_gradient_of_every_weight_equals_that_of_a_plain_scan(optional, n_steps):
    params, inputs = small_network(*optional), small_inputs(n_steps)
    ours = jax.grad(jax_score, argnums=1)(respond, params, inputs)
    plain = jax.grad(jax_score, argnums=1)(scan_respond, params, inputs)
    assert set(to_arrays(ours)) == {"w_in", "w_rec", "w_out", *optional}
    for name, expected in to_arrays(plain).items():
        assert np.abs(expected).max() > 0 or n_steps == 1
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=2e-5, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("argument", [2, 3])
def test_gradient_of_inputs_and_noise_equals_that_of_a_plain_scan(argument):
    arguments = (small_network("b_rec", "h0"), small_inputs(), small_noise())
    ours = jax.grad(jax_score, argnums=argument)(respond, *arguments)
    plain = jax.grad(jax_score, argnums=argument)(scan_respond, *arguments)
    assert np.abs(plain).min() > 0
    np.testing.assert_allclose(ours, plain, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", ["w_rec", "w_in", "h0"])
def test_gradient_equals_central_differences(name):
    params, inputs = small_network("b_rec", "b_out", "h0"), small_inputs()
    gradient = np.asarray(getattr(jax.grad(jax_score, argnums=1)(respond, params, inputs), name))
    weights = {n: np.asarray(v, np.float64) for n, v in to_arrays(params).items()}

    def shifted(place, shift):
        moved = weights[name].copy()
        moved[place] += shift
        return score(*loop_run(weights | {name: moved}, inputs))

    expected = np.zeros(weights[name].shape)
    for place in np.ndindex(expected.shape):
        expected[place] = (shifted(place, 1e-5) - shifted(place, -1e-5)) / 2e-5
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)


def test_the_mean_squared_rate_is_that_of_the_run():
    params, inputs, noise = small_network("b_rec", "h0"), small_inputs(), small_noise()
    (outputs, h), (same, activity) = run(params, inputs, noise), respond(params, inputs, noise)
    np.testing.assert_array_equal(outputs, same)
    assert float(activity) == pytest.approx(float((np.asarray(h, np.float64) ** 2).mean()), rel=1e-6)


def test_rates_pass_no_gradient_across_trials():
    params, inputs = small_network(), small_inputs()
    gradient = np.asarray(jax.grad(lambda x: respond(params, x)[0][-1, 0].sum())(inputs))
    assert np.all(gradient[:, 1:] == 0)
    assert np.all(np.abs(gradient[:, 0]).max(axis=1) > 0)


def test_jit_changes_neither_run_nor_gradient():
    params, inputs = small_network("b_rec", "b_out", "h0"), small_inputs()
    for ours, compiled in zip(run(params, inputs), jax.jit(run)(params, inputs), strict=True):
        np.testing.assert_allclose(compiled, ours, atol=1e-6)
    gradient = jax.grad(lambda p: jax_score(respond, p, inputs))
    with jax.disable_jit():
        ours = to_arrays(gradient(params))
    for name, value in to_arrays(jax.jit(gradient)(params)).items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-5)


def test_vmap_over_networks_equals_each_network_alone():
    networks, inputs = [small_network("b_rec", "h0", seed=seed) for seed in range(3)], small_inputs()
    gradient = jax.jit(jax.grad(lambda p: jax_score(respond, p, inputs)))
    outputs, h = jax.vmap(run, in_axes=(0, None))(stack_networks(networks), inputs)
    gradients = jax.vmap(gradient)(stack_networks(networks))
    for place, network in enumerate(networks):
        alone_outputs, alone_h = jax.jit(run)(network, inputs)
        np.testing.assert_allclose(outputs[place], alone_outputs, atol=1e-6)
        np.testing.assert_allclose(h[place], alone_h, atol=1e-6)
        for name, value in to_arrays(gradient(network)).items():
            np.testing.assert_allclose(getattr(gradients, name)[place], value, rtol=1e-5, atol=1e-5)


def test_state_noise_has_its_deviation_and_is_absent_at_zero():
    assert draw_state_noise(jax.random.key(0), 0.0, 4, 3, 2) is None
    noise = np.asarray(draw_state_noise(jax.random.key(0), 0.02, 40, 50, 30))
    assert noise.shape == (50, 40, 30)
    assert noise.std() == pytest.approx(0.02, rel=0.02)
    assert abs(noise.mean()) < 0.02 * 4 / np.sqrt(noise.size)
    neighbours = np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(noise.size)


@pytest.mark.parametrize("gain", [1.1, 1.5])
def test_recurrent_weights_have_deviation_g_over_root_n(gain):
    n_units = 300
    w_rec = np.asarray(draw_w_rec(0, n_units, gain))
    assert w_rec.shape == (n_units, n_units)
    assert w_rec.std() == pytest.approx(gain / np.sqrt(n_units), rel=0.02)
    assert abs(w_rec.mean()) < 4 * gain / np.sqrt(n_units) / n_units


def drawn_deviation(name: str, n_units: int, n_inputs: int, n_outputs: int, **settings) -> float:
    """Standard deviation of one kind of weight over many seeds."""
    settings, w_rec = InitSettings(**settings), draw_w_rec(0, n_units, 1.5)
    drawn = [
        np.asarray(getattr(draw_params(seed, w_rec, n_inputs, n_outputs, "label", settings), name)).ravel()
        for seed in range(20)
    ]
    return float(np.std(np.concatenate(drawn)))


@pytest.mark.parametrize("n_inputs", [1, 3])
def test_input_weights_have_variance_one_over_inputs(n_inputs):
    assert drawn_deviation("w_in", 200, n_inputs, 3) == pytest.approx(1 / np.sqrt(n_inputs), rel=0.05)


@pytest.mark.parametrize("n_outputs", [2, 3])
def test_readout_has_the_variance_of_its_reading(n_outputs):
    of_text = drawn_deviation("w_out", 200, 3, n_outputs, readout_init="n_outputs")
    of_code = drawn_deviation("w_out", 200, 3, n_outputs, readout_init="n_units")
    assert of_text == pytest.approx(1 / np.sqrt(n_outputs), rel=0.05)
    assert of_code == pytest.approx(1 / np.sqrt(201), rel=0.05)


def test_recurrent_bias_is_one_more_row_of_the_recurrent_matrix():
    """In the released code the bias row is drawn with the recurrent rows, hence on their scale g/√N."""
    expected = float(np.std(draw_w_rec(0, 200, 1.5)))
    drawn = np.concatenate([np.asarray(draw_b_rec(seed, 200, 1.5)) for seed in range(20)])
    assert drawn.std() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("n_inputs", [1, 3])
def test_initial_state_is_standard_normal(n_inputs):
    """In the released code, whatever the number of inputs."""
    assert drawn_deviation("h0", 200, n_inputs, 3, biases=True) == pytest.approx(1, rel=0.05)


def test_output_bias_is_one_more_row_of_the_readout():
    assert drawn_deviation("b_out", 200, 3, 3, biases=True) == pytest.approx(1 / np.sqrt(201), rel=0.3)


def test_a_network_of_the_text_has_no_biases_and_no_initial_state():
    params = draw_params(0, draw_w_rec(0, 6, 1.5), 3, 2, "label", InitSettings())
    assert set(to_arrays(params)) == {"w_in", "w_rec", "w_out"}


def test_drawn_weights_keep_the_recurrent_weights_they_are_given():
    w_rec = draw_w_rec(4, 6, 1.5)
    assert np.array_equal(draw_params(0, w_rec, 3, 2, "label", InitSettings()).w_rec, w_rec)


def correlation(a, b) -> float:
    return abs(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def one_input_network(seed: int = 0, label: str = "label", keys: str = "independent") -> Params:
    settings = InitSettings(biases=True, keys=keys)
    return draw_params(seed, draw_w_rec(seed, 400, 1.5), 1, 1, label, settings, draw_b_rec(seed, 400, 1.5))


def test_weights_of_one_network_are_independent():
    params = one_input_network()
    vectors = {
        "w_in": params.w_in[:, 0],
        "w_out": params.w_out[0],
        "b_rec": params.b_rec,
        "h0": params.h0,
        "row": params.w_rec[0],
        "column": params.w_rec[:, 0],
    }
    names = list(vectors)
    for i, first in enumerate(names):
        for second in names[:i]:
            if {first, second} != {"row", "column"}:
                assert correlation(vectors[first], vectors[second]) < 0.25, (first, second)


@pytest.mark.parametrize("other", [{"seed": 1}, {"label": "other"}])
def test_another_seed_or_label_draws_independent_weights(other):
    one, two = one_input_network(), one_input_network(**other)
    for name in ("w_in", "w_out", "h0"):
        assert correlation(getattr(one, name), getattr(two, name)) < 0.25, name


def test_recurrent_weights_depend_on_the_seed_alone():
    assert np.array_equal(draw_b_rec(3, 50, 1.5), draw_b_rec(3, 50, 1.5))
    assert correlation(draw_b_rec(3, 50, 1.5), draw_b_rec(4, 50, 1.5)) < 0.5
    assert np.array_equal(draw_w_rec(3, 50, 1.5), draw_w_rec(3, 50, 1.5))
    assert correlation(draw_w_rec(3, 50, 1.5), draw_w_rec(4, 50, 1.5)) < 0.1
    np.testing.assert_allclose(draw_w_rec(3, 50, 1.1) / 1.1, draw_w_rec(3, 50, 1.5) / 1.5, rtol=1e-6)


def test_named_keys_depend_on_every_name_and_on_their_order():
    names = [(), ("a",), ("b",), ("a", "b"), ("b", "a"), ("a", 1), ("a", 2), (1, "a"), (1,), ("1",)]
    keys = [tuple(jax.random.key_data(named_key(seed, *n)).tolist()) for seed in (0, 1) for n in names]
    assert len(set(keys)) == len(keys)


def test_shared_key_makes_the_initial_state_the_input_weights():
    """The released defect; independent keys do not have it."""
    shared, independent = one_input_network(keys="shared"), one_input_network()
    assert np.array_equal(shared.h0, shared.w_in[:, 0])
    assert not np.array_equal(independent.h0, independent.w_in[:, 0])


@pytest.mark.parametrize("name", ["w_out", "b_rec"])
def test_shared_key_repeats_the_input_weights_in_the_initial_state_only(name):
    """Released: readout and bias have arrays with N + 1 rows, to which the same key gives other numbers."""
    shared = one_input_network(keys="shared")
    assert correlation(getattr(shared, name), shared.w_in) < 0.25


def test_modules_are_apart_without_inter_module_weights():
    n_units, n_modules = 12, 3
    w_rec = np.asarray(draw_w_rec(0, n_units, 1.5, "zero", n_modules))
    dense = np.asarray(draw_w_rec(0, n_units, 1.5, "random", n_modules))
    inside = np.kron(np.eye(n_modules), np.ones((4, 4))).astype(bool)
    assert np.array_equal(w_rec[inside], dense[inside])
    assert np.all(w_rec[~inside] == 0)
    assert np.all(dense != 0)


def test_absent_inter_module_weights_are_positive_zeros():
    """A negative zero would not survive an update of 0 bit by bit."""
    w_rec = np.asarray(draw_w_rec(0, 12, 1.5, "zero", 3))
    assert not np.signbit(w_rec[w_rec == 0]).any()


@pytest.mark.parametrize("optional", OPTIONAL)
def test_arrays_and_back(optional):
    params = small_network(*optional)
    arrays = to_arrays(params)
    assert set(arrays) == {"w_in", "w_rec", "w_out", *optional}
    back = from_arrays(arrays | {"seeds": np.arange(3)})
    for name in WEIGHTS:
        value, again = getattr(params, name), getattr(back, name)
        assert (value is None) == (again is None)
        assert value is None or np.array_equal(value, again)


def test_select_inverts_stack():
    networks = [small_network("h0", seed=seed) for seed in range(3)]
    stacked = stack_networks(networks)
    assert stacked.w_in.shape == (3, N_UNITS, N_INPUTS) and stacked.b_rec is None
    for place, network in enumerate(networks):
        for name, value in to_arrays(select_network(stacked, place)).items():
            assert np.array_equal(value, getattr(network, name))
