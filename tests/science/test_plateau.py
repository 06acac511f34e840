"""What keeps networks on a plateau: every quantity against an independent reference."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from molap.config.tasks import TrialSettings
from molap.evaluation.plateau import (
    RESOLUTION,
    RIDGE,
    decoded_r2,
    response_gradient,
    saturated,
    shown,
    spectral_radius,
    state_variance,
    symptoms,
    wanted,
)
from molap.networks.rnn import Params, run
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.tasks.trial import GO, N_STEPS, PULSES

TASKS = load_tasks()
WITH_PULSES = ("mem_dm1", "mem_dm2", "context_mem_dm1", "context_mem_dm2", "multi_mem")
N_TRIALS, N_UNITS = 40, 6


def states_and_values(seed=0, n_trials=N_TRIALS, scale=1.0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_trials, 2))
    states = values @ rng.normal(size=(2, N_UNITS)) + rng.normal(0, 0.5, (n_trials, N_UNITS))
    return scale * states, values


def test_variance_equals_that_of_a_loop():
    states, _ = states_and_values()
    expected = 0.0
    for i in range(N_UNITS):
        mean = sum(states[k, i] for k in range(N_TRIALS)) / N_TRIALS
        expected += sum((states[k, i] - mean) ** 2 for k in range(N_TRIALS)) / N_TRIALS / N_UNITS
    assert state_variance(states) == pytest.approx(expected, rel=1e-12)


def test_variance_of_a_worked_example():
    # One unit alternates between ±0.2 (variance 0.04), the other stays: 0.02 on average.
    assert state_variance(np.array([[0.2, 0.9], [-0.2, 0.9]] * 3)) == pytest.approx(0.02)


@pytest.mark.parametrize("n_trials", [N_TRIALS, N_TRIALS + 1, 8])
def test_decoding_equals_scikit_learn_s_ridge_on_the_other_half(n_trials):
    states, values = states_and_values(n_trials=n_trials)
    half = n_trials // 2
    alpha = half * (RIDGE * states[:half].var(axis=0).mean() + RESOLUTION**2)
    decoder = Ridge(alpha=alpha, solver="svd").fit(states[:half], values[:half])
    expected = r2_score(values[half:], decoder.predict(states[half:]), multioutput="raw_values")
    np.testing.assert_allclose(decoded_r2(states, values), expected, rtol=1e-7)


def test_decoding_does_not_depend_on_the_size_of_the_states_until_they_are_rounding():
    (states, values), (small, _), (tiny, _) = (states_and_values(scale=scale) for scale in (1, 1e-4, 1e-12))
    np.testing.assert_allclose(decoded_r2(small, values), decoded_r2(states, values), rtol=1e-2)
    assert (decoded_r2(states, values) > 0.5).all() and (decoded_r2(tiny, values) < 0.01).all()


def test_decoding_of_worked_examples():
    value = np.linspace(-1, 1, 20)[np.random.default_rng(0).permutation(20)][:, None]
    np.testing.assert_allclose(decoded_r2(3 - 2 * value, value), [1], atol=1e-9)
    # States that tell nothing: the mean of the first half is the answer.
    missed = (value[10:] - value[:10].mean()) ** 2
    expected = 1 - missed.sum() / ((value[10:] - value[10:].mean()) ** 2).sum()
    np.testing.assert_allclose(decoded_r2(np.full((20, 3), 0.7), value), [expected], rtol=1e-9)
    assert np.isnan(decoded_r2(value, np.ones((20, 1)))).all()


@pytest.mark.parametrize("name", WITH_PULSES)
def test_what_is_decoded_are_the_pulses_and_the_response(name):
    settings = TrialSettings(rescaling="none", input_noise=0.0)
    trials = draw_trials(TASKS[name], jax.random.key(0), N_TRIALS, settings)
    inputs, targets = np.asarray(trials.inputs), np.asarray(trials.targets)
    angles = np.asarray(trials.conditions.angles)
    streams = {"stream1": np.cos(angles), "stream2": np.sin(angles)}
    for pulse, window in enumerate(PULSES):
        expected = [streams[channel][:, pulse] for channel in TASKS[name].inputs[1:]]
        np.testing.assert_allclose(shown(inputs, window), np.stack(expected, axis=1), atol=1e-6)
    attended = {"mem_dm1": ["stream1"], "context_mem_dm1": ["stream1"], "multi_mem": ["stream1", "stream2"]}
    response = sum(streams[channel] for channel in attended.get(name, ["stream2"])).max(axis=1)
    np.testing.assert_allclose(wanted(targets), response[:, None], atol=1e-6)


def network(seed=0, n_outputs=2, biases=False):
    rng = np.random.default_rng(seed)
    shapes = {"w_in": (N_UNITS, 2), "w_rec": (N_UNITS, N_UNITS), "w_out": (n_outputs, N_UNITS)}
    shapes |= {"b_rec": (N_UNITS,), "b_out": (n_outputs,)} if biases else {}
    return {name: 0.5 * rng.normal(size=shape) for name, shape in shapes.items()}


def forward(weights, inputs, start, first=0):
    """States and outputs of one trial from a step on, after the state `start`."""
    h, outputs, states = start, [], []
    for t in range(first, N_STEPS):
        h = np.tanh(weights["w_rec"] @ h + weights["w_in"] @ inputs[t] + weights.get("b_rec", 0))
        states.append(h)
        outputs.append(weights["w_out"] @ h + weights.get("b_out", 0))
    return np.array(states), np.array(outputs)


def response_error(weights, inputs, targets, step, state):
    """The error in the response period as a function of the state at a step, for one trial."""
    own = weights["w_out"] @ state + weights.get("b_out", 0)
    _, after = forward(weights, inputs, state, step + 1)
    outputs = np.concatenate([own[None], after.reshape(-1, len(own))])
    return ((outputs[-(N_STEPS - max(GO, step)) :] - targets[max(GO, step) :]) ** 2).sum() / (N_STEPS - GO) / len(own)


@pytest.mark.parametrize("biases", [False, True])
def test_the_gradient_is_the_derivative_of_the_error_by_the_state(biases):
    weights, rng = network(biases=biases), np.random.default_rng(1)
    inputs, targets = rng.normal(size=(N_STEPS, 3, 2)), rng.normal(size=(N_STEPS, 3, 2))
    trials = [forward(weights, inputs[:, k], np.zeros(N_UNITS)) for k in range(3)]
    h, outputs = (np.stack(signals, axis=1) for signals in zip(*trials, strict=True))
    found = response_gradient(weights["w_rec"], weights["w_out"], h, outputs, targets)
    for step, k, i in itertools.product((40, 70, GO - 1, GO, 100, N_STEPS - 1), range(3), range(N_UNITS)):
        # A complex step: the derivative without a difference, exact to rounding.
        state = h[step, k] + 1e-30j * (np.arange(N_UNITS) == i)
        expected = response_error(weights, inputs[:, k], targets[:, k], step, state).imag / 1e-30
        assert found[step, k, i] == pytest.approx(expected, rel=1e-9, abs=1e-18)


def test_the_gradient_of_a_worked_example():
    # One unit that stays at 0, where tanh has slope 1: Σ over the response of 2/25 (0 − y) w^(t − 40).
    w, target = 1.01, -0.5
    zeros = np.zeros((N_STEPS, 1, 1))
    found = response_gradient(np.array([[w]]), np.ones((1, 1)), zeros, zeros, zeros + target)
    expected = sum(2 / 25 * -target * w ** (t - 40) for t in range(GO, N_STEPS))
    assert found[40, 0, 0] == pytest.approx(expected, rel=1e-12)


def test_no_gradient_passes_a_saturated_unit_or_a_readout_of_zero():
    h = np.random.default_rng(0).uniform(-0.9, 0.9, (N_STEPS, 2, N_UNITS))
    weights, targets = network(), np.ones((N_STEPS, 2, 2))
    h[60] = np.sign(h[60])
    gradient = response_gradient(weights["w_rec"], weights["w_out"], h, h @ weights["w_out"].T, targets)
    assert (gradient[:60] == 0).all() and (gradient[60:] != 0).any(axis=2).all()
    silent = response_gradient(weights["w_rec"], 0 * weights["w_out"], h, 0 * targets, targets)
    assert (silent == 0).all()


def test_saturated_rates_are_counted():
    h = np.array([[[0.951, -0.96], [0.95, 0.0]], [[-1.0, 0.2], [0.3, -0.949]]])
    assert saturated(h) == pytest.approx(100 * 3 / 8)


def test_spectral_radius_of_worked_examples():
    turn = 1.7 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    assert spectral_radius(turn) == pytest.approx(1.7)
    triangular = np.triu(np.random.default_rng(0).normal(size=(5, 5)))
    assert spectral_radius(triangular) == pytest.approx(np.abs(np.diag(triangular)).max())


@pytest.mark.parametrize("name", ["mem_dm1", "multi_mem"])
def test_the_symptoms_of_a_network_are_those_of_its_run(name):
    task = TASKS[name]
    trials = draw_trials(task, jax.random.key(1), 100, TrialSettings())
    rng = np.random.default_rng(2)
    shapes = {"w_in": (8, len(task.inputs)), "w_rec": (8, 8), "w_out": (len(task.outputs), 8)}
    params = Params(**{key: jnp.asarray(0.5 * rng.normal(size=shape), jnp.float32) for key, shape in shapes.items()})
    outputs, h = map(np.asarray, run(params, trials.inputs))
    inputs, targets = np.asarray(trials.inputs), np.asarray(trials.targets)
    found = symptoms(np.asarray(params.w_rec), np.asarray(params.w_out), h, outputs, inputs, targets)
    gradient = response_gradient(np.asarray(params.w_rec), np.asarray(params.w_out), h, outputs, targets)
    for number, (step, window) in enumerate(zip((40, 70), PULSES, strict=True), start=1):
        norms = [np.sqrt(sum(g**2 for g in gradient[step, k])) for k in range(100)]
        assert found.pop(f"gradient_pulse{number}") == pytest.approx(sum(norms) / 100)
        r2 = decoded_r2(h[84], shown(inputs, window))
        assert found.pop(f"r2_pulse{number}") == pytest.approx(sum(r2) / len(r2))
        assert [found.pop(f"r2_pulse{number}_channel{c + 1}") for c in range(len(r2))] == pytest.approx(list(r2))
    assert found.pop("r2_target") == pytest.approx(decoded_r2(h[84], wanted(targets))[0])
    expected = {"saturated": saturated(h), "spectral_radius": spectral_radius(np.asarray(params.w_rec))}
    assert found == pytest.approx(expected | {"state_variance": state_variance(h[84])})
