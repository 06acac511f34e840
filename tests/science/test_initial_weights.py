"""The moments of a network's initial weights, what they depend on, and the released defect in their keys."""

import zlib

import jax
import numpy as np
import pytest

from molap.config.network import InitSettings
from molap.networks.rnn import Params, draw_b_rec, draw_params, draw_w_rec, to_arrays
from molap.networks.shared import Layout, add_channels, new_network
from molap.randomness import named_key, normal
from molap.tasks.registry import load_tasks


@pytest.mark.parametrize("partitionable", [True, False])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (64,), (65,), (60, 3), (7, 11, 3), (300, 300)])
def test_a_draw_is_that_of_jax_to_the_bit(shape, partitionable):
    """Also in a compiled function, whether it is given the key or closes over it, and with JAX's older streams."""
    key = named_key(3)
    with jax.threefry_partitionable(partitionable):
        found, expected = np.asarray(normal(key, shape)), np.asarray(jax.random.normal(key, shape))
        given = jax.jit(lambda key: normal(key, shape))(key)
        closed_over = jax.jit(lambda zero: zero + normal(key, shape))(0.0)
    assert found.shape == shape and found.dtype == expected.dtype
    for other in (found, given, closed_over):
        assert np.asarray(other).tobytes() == expected.tobytes()


def test_a_large_draw_takes_no_more_than_it_asks_for(monkeypatch):
    shapes = []
    monkeypatch.setattr("molap.randomness._normal", lambda key, shape: shapes.append(shape) or np.zeros(shape))
    assert normal(named_key(0), (110, 700)).shape == (110, 700) and shapes == [(110, 700)]


def test_draws_of_many_shapes_share_a_few_programs(monkeypatch):
    shapes = set()
    monkeypatch.setattr("molap.randomness._normal", lambda key, shape: shapes.add(shape) or np.zeros(shape))
    for n in range(2, 100):
        normal(named_key(0), (n, 3))
    assert len(shapes) == 3


@pytest.mark.parametrize("gain", [1.1, 1.5])
def test_recurrent_weights_have_deviation_g_over_root_n(gain):
    n_units = 300
    w_rec = np.asarray(draw_w_rec(0, n_units, gain))
    assert w_rec.shape == (n_units, n_units)
    assert w_rec.std() == pytest.approx(gain / np.sqrt(n_units), rel=0.02)
    assert abs(w_rec.mean()) < 4 * gain / np.sqrt(n_units) / n_units


@pytest.mark.parametrize("n_units", [2, 7, 100])
@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_orthogonal_recurrent_weights_are_g_times_an_orthogonal_matrix(n_units, gain):
    w_rec = np.asarray(draw_w_rec(3, n_units, gain, recurrent_init="orthogonal"), np.float64)
    np.testing.assert_allclose(w_rec @ w_rec.T, gain**2 * np.eye(n_units), atol=5e-6)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(w_rec)), gain, atol=1e-5)


def test_orthogonal_recurrent_weights_are_the_q_of_the_normal_ones_with_a_positive_diagonal_of_r():
    """The one decomposition in which Q is as uniform as the normal draw is (Mezzadri 2007)."""
    normal, orthogonal = (np.asarray(draw_w_rec(3, 50, 1.5, recurrent_init=how)) for how in ("normal", "orthogonal"))
    r = orthogonal.T @ normal
    assert (np.diag(r) > 0.01).all()
    np.testing.assert_allclose(np.tril(r, -1), 0, atol=1e-5)


def test_orthogonal_recurrent_weights_are_uniform_over_rotations_and_reflections():
    """Without the signs of R the first entry is negative in every draw; a trace of Haar's has mean 0 and variance 1."""
    drawn = np.stack([np.asarray(draw_w_rec(seed, 3, 1.0, recurrent_init="orthogonal")) for seed in range(400)])
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=4 / np.sqrt(3 * 400))
    traces = np.trace(drawn, axis1=1, axis2=2)
    assert abs(traces.mean()) < 4 / np.sqrt(400) and traces.var() == pytest.approx(1, rel=0.3)
    assert abs(np.sign(np.linalg.det(drawn)).mean()) < 4 / np.sqrt(400)


def test_networks_of_all_kinds_start_from_the_same_orthogonal_weights():
    expected = draw_w_rec(5, 20, 1.3, recurrent_init="orthogonal")
    assert np.array_equal(new_network(5, 20, 1.3, InitSettings(), "orthogonal").w_rec, expected)
    assert not np.array_equal(new_network(5, 20, 1.3, InitSettings()).w_rec, expected)


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
    assert drawn_deviation("w_out", 200, 3, n_outputs, readout_init="n_units_squared") == pytest.approx(
        1 / 200, rel=0.05
    )
    assert drawn_deviation("w_out", 200, 3, n_outputs, readout_init="zero") == 0


def test_recurrent_bias_is_one_more_row_of_the_recurrent_matrix():
    """In the released code the bias row is drawn with the recurrent rows, so it is on their scale g/√N."""
    expected = float(np.std(draw_w_rec(0, 200, 1.5)))
    drawn = np.concatenate([np.asarray(draw_b_rec(seed, 200, 1.5)) for seed in range(20)])
    assert drawn.std() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("n_inputs", [1, 3])
def test_initial_state_is_standard_normal(n_inputs):
    """In the released code, whatever the number of inputs."""
    assert drawn_deviation("h0", 200, n_inputs, 3, biases=True) == pytest.approx(1, rel=0.05)


def test_output_bias_is_one_more_row_of_the_readout():
    drawn = drawn_deviation("b_out", 200, 3, 3, biases=True, readout_init="n_units")
    assert drawn == pytest.approx(1 / np.sqrt(201), rel=0.3)


def test_output_bias_has_the_variance_of_the_readout():
    drawn = drawn_deviation("b_out", 200, 3, 3, biases=True, readout_init="n_units_squared")
    assert drawn == pytest.approx(1 / 200, rel=0.3)


def test_a_readout_that_starts_at_zero_has_positive_zeros_and_changes_nothing_else():
    """A negative zero would not survive an update of 0 bit by bit."""
    w_rec, b_rec = draw_w_rec(0, 30, 1.5), draw_b_rec(0, 30, 1.5)
    zero, other = (
        to_arrays(draw_params(0, w_rec, 3, 2, "label", InitSettings(biases=True, readout_init=rule), b_rec))
        for rule in ("zero", "n_units")
    )
    for name in ("w_out", "b_out"):
        assert zero[name].shape == other[name].shape and zero[name].dtype == other[name].dtype
        assert zero[name].tobytes() == bytes(zero[name].nbytes), name
    for name in ("w_in", "w_rec", "b_rec", "h0"):
        assert zero[name].tobytes() == other[name].tobytes(), name


@pytest.mark.parametrize("rule", ["n_units", "n_outputs", "n_units_squared", "zero"])
def test_in_a_shared_network_only_the_rows_that_are_new_with_a_task_are_drawn(rule):
    """`mem_dm1` brings fixation and choice; what it has learned stays when `mem_pro` brings cos and sin."""
    tasks, n_units, deviations = load_tasks(), 400, []
    settings = InitSettings(readout_init=rule, biases=True)
    for seed in range(3):
        first = Layout().with_task(tasks["mem_dm1"], True)
        network = add_channels(
            new_network(seed, n_units, 1.5, settings), Layout(), tasks["mem_dm1"], True, seed, settings
        )
        learned = network._replace(w_out=network.w_out + 1, b_out=network.b_out + 1)
        grown = add_channels(learned, first, tasks["mem_pro"], True, seed, settings)
        assert np.array_equal(grown.w_out[:2], learned.w_out) and np.array_equal(grown.b_out[:2], learned.b_out)
        assert grown.w_out.shape == (4, n_units) and grown.b_out.shape == (4,)
        deviations.append(float(np.std(grown.w_out[2:])))
        assert (rule == "zero") == (np.asarray(grown.b_out[2:]) == 0).all()
    n_outputs = len(tasks["mem_pro"].outputs)
    expected = {"n_units": 1 / (n_units + 1), "n_outputs": 1 / n_outputs, "n_units_squared": 1 / n_units**2, "zero": 0}
    np.testing.assert_allclose(deviations, np.sqrt(expected[rule]), rtol=0.1)


def test_a_network_of_the_text_has_no_biases_and_no_initial_state():
    params = draw_params(0, draw_w_rec(0, 6, 1.5), 3, 2, "label", InitSettings())
    assert set(to_arrays(params)) == {"w_in", "w_rec", "w_out"}


def test_drawn_weights_keep_the_recurrent_weights_they_are_given():
    w_rec = draw_w_rec(4, 6, 1.5)
    assert np.array_equal(draw_params(0, w_rec, 3, 2, "label", InitSettings()).w_rec, w_rec)


def correlation(a, b) -> float:
    return abs(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def one_input_network(seed: int = 0, label: str = "label", keys: str = "independent") -> Params:
    settings = InitSettings(readout_init="n_units", biases=True, keys=keys)
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


@pytest.mark.parametrize("seed", [0, 7, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_named_key_folds_in_one_name_after_the_other(seed):
    expected = jax.random.key(np.uint32(seed))
    for data in (zlib.crc32(b"training"), zlib.crc32(b"mem_pro"), 2**32 - 1, *range(7)):
        expected = jax.random.fold_in(expected, np.uint32(data))
    found = named_key(seed, "training", "mem_pro", 2**32 - 1, *range(7))
    assert jax.random.key_data(found).tolist() == jax.random.key_data(expected).tolist()
    assert jax.random.key_data(named_key(seed)).tolist() == [0, seed]


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


@pytest.mark.parametrize("recurrent_init", ["normal", "orthogonal"])
def test_modules_are_apart_without_inter_module_weights(recurrent_init):
    n_units, n_modules = 12, 3
    w_rec = np.asarray(draw_w_rec(0, n_units, 1.5, "zero", n_modules, recurrent_init))
    dense = np.asarray(draw_w_rec(0, n_units, 1.5, "random", n_modules, recurrent_init))
    inside = np.kron(np.eye(n_modules), np.ones((4, 4))).astype(bool)
    assert np.array_equal(w_rec[inside], dense[inside])
    assert np.all(w_rec[~inside] == 0)
    assert np.all(dense != 0)


@pytest.mark.parametrize("recurrent_init", ["normal", "orthogonal"])
def test_absent_inter_module_weights_are_positive_zeros(recurrent_init):
    """A negative zero would not survive an update of 0 bit by bit."""
    w_rec = np.asarray(draw_w_rec(0, 12, 1.5, "zero", 3, recurrent_init))
    assert not np.signbit(w_rec[w_rec == 0]).any()
