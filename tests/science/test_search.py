"""Many candidates in one program: each network becomes what it becomes alone, by the stages of an ordinary run."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from molap.config.evaluation import CriterionSettings
from molap.config.network import InitSettings
from molap.config.tasks import TrialSettings
from molap.config.training import OptimiserSettings, RecurrentPhaseSettings
from molap.config.tune import Candidate
from molap.evaluation.criterion import metrics
from molap.evaluation.test_run import test_noise as noise_of
from molap.evaluation.validation import scores
from molap.networks.masks import all_weights, head_weights
from molap.networks.rnn import draw_params, draw_w_rec, run, select_network, stack_networks, to_arrays
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.loop import Recipe, train
from molap.training.search import train_candidates

TASK, N_UNITS = load_tasks()["mem_dm1"], 8
PHASE = RecurrentPhaseSettings(learning_rate=5e-3, n_steps=7, batch_size=3, recurrent_rate=9.0)
OPTIMISER = OptimiserSettings(decay="constant", clip_norm=1e-6, n_stages=2)
CRITERION = CriterionSettings()
CANDIDATES = [
    Candidate(n_steps=4, batch_size=5, learning_rate=0.02, recurrent_rate=0.1),
    Candidate(n_steps=6, batch_size=5, decay="stages", clip_norm=None),
    Candidate(n_steps=4, batch_size=5, readout_rate=2.0),
    Candidate(n_steps=4, batch_size=7, readout_init="n_units"),
    Candidate(n_steps=4, batch_size=5, batches="frozen"),
]
"""In four groups; the first and the third are one."""
LIKE = [CANDIDATES[0], CANDIDATES[2], CANDIDATES[0]]
"""In one group."""


def networks(candidates=CANDIDATES):
    drawn = []
    for seed, candidate in enumerate(candidates):
        init = InitSettings(readout_init=candidate.readout_init)
        drawn.append(draw_params(seed, draw_w_rec(seed, N_UNITS, 1.5), 2, 2, "mem_dm1", init))
    return stack_networks(drawn)


def keys(n):
    return jnp.stack([jax.random.fold_in(jax.random.key(3), place) for place in range(n)])


def draw_of(size):
    def draw(key):
        trials = draw_trials(TASK, key, size, TrialSettings())
        return trials.inputs, trials.targets

    return draw


def together(candidates=CANDIDATES, params=None, trainable=all_weights, **options):
    params = networks(candidates) if params is None else params
    masks = trainable(select_network(params, 0))
    return train_candidates(
        candidates, params, masks, draw_of, keys(len(candidates)), Recipe(PHASE, OPTIMISER), **options
    )


@functools.cache
def alone(place, trainable=all_weights):
    """What a candidate becomes in a run of its own, in which all that it says stands in the configuration."""
    c, start = CANDIDATES[place], select_network(networks(), place)
    rates = {"recurrent_rate": c.recurrent_rate, "readout_rate": c.readout_rate}
    rates |= {"learning_rate": c.learning_rate or PHASE.learning_rate}
    phase = PHASE.model_copy(update={"n_steps": c.n_steps, "batch_size": c.batch_size, **rates})
    optimiser = {"decay": c.decay, "clip_norm": c.clip_norm, "batches": c.batches}
    return train(
        stack_networks([start]),
        trainable(start),
        draw_of(c.batch_size),
        keys(place + 1)[place:],
        Recipe(phase, OPTIMISER.model_copy(update=optimiser)),
    )[0]


def assert_close(found, expected, rtol=1e-5):
    for name, value in to_arrays(expected).items():
        np.testing.assert_allclose(np.asarray(getattr(found, name)), value, rtol=rtol, atol=2e-6, err_msg=name)


def side_by_side(monkeypatch):
    """What a GPU does."""
    monkeypatch.setattr("molap.training.loop.over_seeds", jax.vmap)
    monkeypatch.setattr(
        "molap.evaluation.validation._outputs", jax.jit(jax.vmap(lambda p, x, n: run(p, x, n)[0], (0, None, None)))
    )


@pytest.mark.parametrize(
    "mapped",
    [
        pytest.param("in turn", marks=pytest.mark.exhaustive),
        pytest.param("side by side", marks=pytest.mark.benchmarks),
    ],
)
@pytest.mark.parametrize("trainable", [all_weights, head_weights])
def test_every_network_becomes_what_it_becomes_alone_whatever_group_it_is_in(trainable, mapped, monkeypatch):
    if mapped == "side by side":
        side_by_side(monkeypatch)
    steps = []
    found = together(trainable=trainable, progress=lambda *now: steps.append(now[:2]))
    assert steps == [(4, 4), (6, 6), (4, 4), (4, 4)]
    for place in range(len(CANDIDATES)):
        assert_close(select_network(found, place), select_network(alone(place, trainable), 0))


@pytest.mark.exhaustive
def test_a_network_that_goes_out_of_hand_fails_alone():
    start = networks(LIKE)
    broken = start._replace(w_rec=jnp.asarray(start.w_rec).at[2, 0, 0].set(jnp.nan))
    found, expected = together(LIKE, params=broken), together(LIKE)
    for place in range(len(LIKE)):
        for name, value in to_arrays(select_network(found, place)).items():
            same = np.array_equal(value, np.asarray(getattr(expected, name)[place]))
            assert same != (place == 2), (place, name)
    assert not np.isfinite(np.asarray(found.w_out[2])).any()
    rows = scores(found, validation(), CRITERION, 0.0, 0)
    assert rows[2]["accuracy"] == 0 and rows[2]["failed"] and np.isnan(rows[2]["mse"])
    assert np.isfinite([row["mse"] for place, row in enumerate(rows) if place != 2]).all()


def validation(n=9):
    trials = draw_trials(TASK, jax.random.key(0), n, TrialSettings())
    return {"inputs": np.asarray(trials.inputs), "targets": np.asarray(trials.targets)}


@pytest.mark.parametrize("mapped", ["in turn", "side by side"])
@pytest.mark.parametrize("state_noise", [0.0, 0.3])
def test_scores_are_the_metrics_of_every_network_by_itself(mapped, state_noise, monkeypatch):
    if mapped == "side by side":
        side_by_side(monkeypatch)
    trials, params = validation(), networks()
    params = params._replace(w_out=jnp.asarray(params.w_out).at[3].set(0.1 * params.w_in[3].T))
    noise = noise_of(5, state_noise, trials["inputs"], N_UNITS, 9)
    for place, row in enumerate(scores(params, trials, CRITERION, state_noise, 5)):
        outputs = np.asarray(run(select_network(params, place), jnp.asarray(trials["inputs"]), noise)[0])
        expected = metrics(outputs, trials["targets"], CRITERION)
        assert {name: row[name] for name in ("accuracy", "decision_accuracy", "best_constant")} == {
            name: expected[name] for name in ("accuracy", "decision_accuracy", "best_constant")
        }
        assert row["mse"] == pytest.approx(expected["mse"], rel=1e-5)
        assert row["failed"] == (expected["accuracy"] < expected["best_constant"])
