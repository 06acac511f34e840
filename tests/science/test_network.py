"""The network's run and gradient against independent loops, and its arrays."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from molap.networks.rnn import (
    Params,
    draw_state_noise,
    from_arrays,
    respond,
    run,
    select_network,
    stack_networks,
    to_arrays,
)

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


OF_BLOCK = {
    (start, stop): lambda *given, block=slice(start, stop): respond(*given, block)
    for start, stop in ((0, 2), (2, N_UNITS), (0, N_UNITS))
}
"""`respond` for a block of units: one function for each, because `jax_score` is compiled for the function given."""

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


@pytest.mark.parametrize("block", [slice(0, 2), slice(2, N_UNITS), slice(0, N_UNITS)])
@pytest.mark.parametrize("mapped", [False, True])
def test_within_a_block_the_gradient_of_w_rec_is_the_whole_one_and_elsewhere_zero(block, mapped):
    params, inputs, noise = small_network(*OPTIONAL[2]), small_inputs(), small_noise()

    def gradient(function):
        found = jax.grad(partial(jax_score, function))
        if not mapped:
            return found(params, inputs, noise)
        both = jax.vmap(found, in_axes=(0, None, None))(stack_networks([params, params]), inputs, noise)
        return select_network(both, 1)

    ours = gradient(OF_BLOCK[block.start, block.stop])
    expected = to_arrays(jax.grad(jax_score, argnums=1)(scan_respond, params, inputs, noise))
    outside = np.ones((N_UNITS, N_UNITS), bool)
    outside[block, block] = False
    assert np.abs(expected["w_rec"]).min() > 0
    expected["w_rec"] = np.where(outside, 0, expected["w_rec"])
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(ours, name), value, rtol=2e-5, atol=2e-5, err_msg=name)
    assert np.all(np.asarray(ours.w_rec)[outside] == 0)


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
