"""Each perturbation, its draws and the runs of perturbed networks, against loops over entries, units and steps."""

from decimal import Decimal

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from molap.config.perturbations import PerturbationReadings, StrengthSettings
from molap.config.run import RunConfig
from molap.evaluation.perturbations import (
    PERTURBATIONS,
    between_modules,
    choose,
    find,
    module_of,
    number_hit,
    within_module,
)
from molap.evaluation.sweep import LARGEST_BATCH, Perturbed, batch_size, outputs, perturb, perturbation_key, run_many
from molap.evaluation.sweep_memory import PROCESS_MB
from molap.networks.masks import module_units
from molap.networks.rnn import Params, run, to_arrays
from molap.planning.contents import sweep

N, MODULES, BORDERS = 20, 3, (0, 7, 14, 20)
N_STEPS, N_TRIALS, N_INPUTS, N_OUTPUTS = 12, 5, 3, 2
LESIONS = ("module1", "module2", "module3", "inter_module", "whole")
PERCENTS, STDS = (0.0, 2.5, 29.0, 100.0), (0.0, 0.25, 0.5)
TEXT = PerturbationReadings()
RELEASED = PerturbationReadings(inter_module_as="whole", biases="hit", silencing="recurrence")
KEY = perturbation_key(0, "any", 0)


def new_network(biases=False, seed=0, n=N):
    """No weight is zero, so that a zero is a lesion's."""
    rng = np.random.default_rng(seed)
    shapes = {"w_in": (n, N_INPUTS), "w_rec": (n, n), "w_out": (N_OUTPUTS, n)}
    shapes |= {"b_rec": (n,), "b_out": (N_OUTPUTS,), "h0": (n,)} if biases else {}
    drawn = {name: rng.uniform(0.1, 0.9, shape) * rng.choice([-1, 1], shape) for name, shape in shapes.items()}
    return Params(**{name: jnp.asarray(values, jnp.float32) for name, values in drawn.items()})


PLAIN, BIASED = new_network(), new_network(biases=True)
BOTH = pytest.mark.parametrize("network", [PLAIN, BIASED], ids=["plain", "biased"])
INPUTS = np.random.default_rng(1).normal(size=(N_STEPS, N_TRIALS, N_INPUTS)).astype(np.float32)
NOISE = np.random.default_rng(2).normal(0, 0.3, (N_STEPS, N_TRIALS, N)).astype(np.float32)


def perturbed(name, network, strengths=PERCENTS, readings=TEXT, key=KEY, draw=0):
    """Networks by strength, with what was reported as hit."""
    found = perturb(key, draw, network, name, tuple(strengths), readings, module_of(network.w_rec.shape[0], MODULES))
    return {s: (Params(**to_arrays(of_s)), int(n_hit)) for s, (of_s, n_hit) in zip(strengths, found, strict=True)}


def respond_alone(network, inputs=INPUTS, noise=None):
    return np.asarray(outputs(network, inputs, noise))


def allowed_by_hand(name):
    """The entries of W_rec that a lesion may hit."""
    found = set()
    for place in np.ndindex(N, N):
        own, other = (next(m for m in range(1, MODULES + 1) if unit < BORDERS[m]) for unit in place)
        if name == "whole" or (own != other if name == "inter_module" else own == other == int(name[-1])):
            found.add(place)
    return found


def zeros(values):
    return {tuple(map(int, place)) for place in np.argwhere(values == 0)}


def floor(percent, n_places):
    return int(Decimal(str(percent)) * n_places / 100)


def assert_same(found, expected, but=()):
    """The same arrays are there, and all but the named ones are the same to the bit."""
    found, expected = to_arrays(found), to_arrays(expected)
    assert found.keys() == expected.keys()
    for name in found.keys() - set(but):
        np.testing.assert_array_equal(found[name].view(np.uint32), expected[name].view(np.uint32), err_msg=name)


def run_by_hand(network, noisy=False, silenced=(), reading="activity"):
    """Eq. 1 unit by unit; silenced units are clamped at zero, or only unheard by the other units."""
    w = {name: np.asarray(value, float) for name, value in to_arrays(network).items()}
    found = np.zeros((N_STEPS, N_TRIALS, N_OUTPUTS))
    for trial in range(N_TRIALS):
        h = w.get("h0", np.zeros(N))
        for step in range(N_STEPS):
            heard = np.array([0.0 if unit in silenced else h[unit] for unit in range(N)])
            h = np.zeros(N)
            for unit in range(N):
                total = w["w_in"][unit] @ INPUTS[step, trial] + w["w_rec"][unit] @ heard
                total += w["b_rec"][unit] if "b_rec" in w else 0
                total += NOISE[step, trial, unit] if noisy else 0
                h[unit] = 0 if reading == "activity" and unit in silenced else np.tanh(total)
            found[step, trial] = w["w_out"] @ h + w.get("b_out", 0)
    return found


@pytest.mark.parametrize("name", LESIONS)
def test_a_lesion_zeroes_the_share_of_its_own_entries_and_nothing_else(name):
    before = {array: value.copy() for array, value in to_arrays(BIASED).items()}
    allowed, weaker = allowed_by_hand(name), set()
    for percent, (lesioned, n_hit) in perturbed(name, BIASED).items():
        hit = zeros(lesioned.w_rec)
        assert len(hit) == n_hit == floor(percent, len(allowed)) and weaker <= hit <= allowed
        assert_same(lesioned, BIASED, but=["w_rec"])
        for place in set(np.ndindex(N, N)) - hit:
            assert lesioned.w_rec[place] == before["w_rec"][place]
        weaker = hit
    assert hit == allowed
    assert_same(BIASED, Params(**before))


@BOTH
def test_silencing_zeroes_all_that_a_share_of_the_units_sends_and_nothing_else(network):
    before, weaker = {array: value.copy() for array, value in to_arrays(network).items()}, set()
    in_recurrence = perturbed("silence", network, readings=RELEASED)
    for percent, (silent, n_hit) in perturbed("silence", network).items():
        units = {unit for _, unit in zeros(silent.w_out)}
        assert len(units) == n_hit == in_recurrence[percent][1] == floor(percent, N) and weaker <= units
        expected_rec, expected_out = before["w_rec"].copy(), before["w_out"].copy()
        for unit in units:
            expected_rec[:, unit] = expected_out[:, unit] = 0
        assert_same(silent, network._replace(w_rec=expected_rec, w_out=expected_out))
        assert_same(in_recurrence[percent][0], network._replace(w_rec=expected_rec))
        weaker = units
    assert_same(network, Params(**before))


@BOTH
def test_noise_changes_every_recurrent_weight_in_proportion_to_its_strength(network):
    """Of zero weights the sum is exact: noise of 2σ is twice that of σ, to the bit."""
    (none, _), (one, n_hit), (two, _) = perturbed(
        "noise", network._replace(w_rec=np.zeros((N, N), np.float32)), STDS
    ).values()
    assert n_hit == N * N and not zeros(one.w_rec) and not none.w_rec.any()
    np.testing.assert_array_equal(two.w_rec, 2 * one.w_rec)
    for std, (noisy, _) in perturbed("noise", network, STDS).items():
        np.testing.assert_allclose(noisy.w_rec, np.asarray(network.w_rec) + 4 * std * one.w_rec, atol=1e-6)
        assert_same(noisy, network, but=["w_rec"] if std else [])


@pytest.mark.parametrize("n_places", [0, 40, 100, 2500])
def test_the_number_hit_is_that_of_the_decimal_number_rounded_down(n_places):
    """In floats 29 % of 100 are 28.999…; 1e-05 is written without a point."""
    for hundredths in range(10_001):
        assert number_hit(hundredths / 100, n_places) == hundredths * n_places // 10_000, hundredths
    assert number_hit(np.float64(29), 100) == 29 == number_hit(0.29, 10_000)
    assert number_hit(1e-05, 10**7) == 1 and number_hit(1e-05, 10**7 - 1) == 0


def test_places_are_chosen_without_replacement_and_grow_with_the_percentage():
    places, before = np.arange(3, 303, 3), []
    for percent in (0, 29, 100):
        chosen = choose(KEY, float(percent), places).tolist()
        assert len(chosen) == len(set(chosen)) == percent and set(chosen) <= set(places.tolist())
        assert chosen[: len(before)] == before
        before = chosen


@BOTH
def test_a_network_without_recurrence_is_fed_forward_and_one_of_silent_units_is_silent(network):
    w, expected = to_arrays(network), np.zeros((N_STEPS, N_TRIALS, N_OUTPUTS))
    for step, trial in np.ndindex(N_STEPS, N_TRIALS):
        h = np.tanh(w["w_in"] @ INPUTS[step, trial] + w.get("b_rec", 0))
        expected[step, trial] = w["w_out"] @ h + w.get("b_out", 0)
    lesioned, _ = perturbed("whole", network)[100.0]
    unheard, _ = perturbed("silence", network, readings=RELEASED)[100.0]
    assert not lesioned.w_rec.any() and np.abs(respond_alone(network) - expected).max() > 0.1
    np.testing.assert_allclose(respond_alone(lesioned), expected, atol=1e-5)
    np.testing.assert_allclose(respond_alone(unheard), expected, atol=1e-5)
    silent = respond_alone(perturbed("silence", network)[100.0][0])
    np.testing.assert_array_equal(silent, np.broadcast_to(w.get("b_out", np.float32(0)), silent.shape))


@pytest.mark.parametrize("readings", [TEXT, RELEASED], ids=["activity", "recurrence"])
@BOTH
def test_silencing_equals_a_run_that_clamps_units_at_every_step(network, readings):
    """With biases the network has an initial state too, which a silenced unit does not send either."""
    silent, n_hit = perturbed("silence", network, readings=readings)[29.0]
    units = {unit for unit in range(N) if not np.any(silent.w_rec[:, unit])}
    expected = run_by_hand(network, True, units, readings.silencing)
    assert len(units) == n_hit == 5 and np.abs(expected - run_by_hand(network, True)).max() > 0.1
    np.testing.assert_allclose(respond_alone(silent, noise=NOISE), expected, atol=2e-5)


@pytest.mark.parametrize(("name", "network"), [("inter_module", BIASED), ("whole", BIASED), ("whole", PLAIN)])
def test_as_released_lesions_of_the_network_and_between_modules_hit_anywhere_and_biases_too(name, network):
    between, before, n_biases = allowed_by_hand("inter_module"), set(), 0 if network is PLAIN else N
    for percent, (lesioned, n_hit) in perturbed(name, network, readings=RELEASED).items():
        in_biases = {(N, unit) for unit in range(n_biases) if lesioned.b_rec[unit] == 0}
        hit = zeros(lesioned.w_rec) | in_biases
        assert len(hit) == n_hit == floor(percent, N * N + n_biases) and before <= hit
        assert_same(lesioned, network, but=["w_rec", "b_rec"])
        for array in ("w_rec", "b_rec")[: 1 + (n_biases > 0)]:
            kept, intact = (np.asarray(getattr(of, array)) for of in (lesioned, network))
            np.testing.assert_array_equal(kept[kept != 0], intact[kept != 0])
        assert percent in (0, 100) or (hit & between and hit - between - in_biases)
        assert percent < 29 or bool(in_biases) == (n_biases > 0)
        before = hit
    assert len(before) == N * N + n_biases


def test_as_released_noise_falls_on_biases_too_and_on_weights_the_same():
    (none, _), (one, n_hit), (two, _) = perturbed("noise", BIASED, STDS, RELEASED).values()
    assert n_hit == N * N + N
    assert_same(none, BIASED)
    assert_same(one, BIASED, but=["w_rec", "b_rec"])
    np.testing.assert_array_equal(one.w_rec, perturbed("noise", BIASED, STDS)[0.25][0].w_rec)
    drawn = one.b_rec - np.asarray(BIASED.b_rec)
    np.testing.assert_allclose(two.b_rec - np.asarray(BIASED.b_rec), 2 * drawn, atol=1e-6)
    assert np.all(drawn != 0) and len(set(drawn)) == N
    assert not any(np.allclose(drawn, row) for row in one.w_rec - np.asarray(BIASED.w_rec))


@pytest.mark.parametrize("name", ["whole", "noise"])
def test_readings_of_biases_do_not_matter_without_biases(name):
    kept = perturbed(name, PLAIN, STDS if name == "noise" else PERCENTS)
    hit = perturbed(name, PLAIN, tuple(kept), RELEASED)
    for strength, (network, n_hit) in kept.items():
        assert_same(hit[strength][0], network)
        assert hit[strength][1] == n_hit


@pytest.mark.parametrize(("n_units", "n_modules"), [(20, 3), (10, 4), (7, 2), (3, 5), (100, 2), (20, 4), (8, 1)])
def test_modules_are_blocks_in_order_as_equal_as_can_be_and_those_of_pre_training(n_units, n_modules):
    module = np.array(module_of(n_units, n_modules))
    sizes = [int(np.sum(module == m)) for m in range(1, n_modules + 1)]
    assert sum(sizes) == n_units and max(sizes) - min(sizes) <= 1 and np.all(np.diff(module) >= 0)
    for m in range(1, n_modules + 1):
        own = np.arange(n_units)[module_units(n_units, n_modules, m)]
        assert n_units % n_modules or np.flatnonzero(module == m).tolist() == own.tolist()


@pytest.mark.parametrize(
    ("n_units", "n_modules", "sizes"),
    [(100, 2, [2500, 2500, 5000]), (20, 3, [49, 49, 36, 266]), (8, 1, [64, 0]), (3, 5, [1, 0, 1, 0, 1, 6])],
)
def test_blocks_and_what_lies_between_them_make_up_the_matrix(n_units, n_modules, sizes):
    masks = [within_module(module_of(n_units, n_modules), m) for m in range(1, n_modules + 1)]
    masks.append(between_modules(module_of(n_units, n_modules)))
    np.testing.assert_array_equal(np.sum(masks, axis=0), np.ones((n_units, n_units)))
    assert sorted(int(mask.sum()) for mask in masks) == sorted(sizes) and int(masks[-1].sum()) == sizes[-1]


def test_every_key_draws_its_own_places():
    keys = [(4, "whole", 7), (5, "whole", 7), (4, "inter_module", 7), (4, "whole", 8)]
    draws = [(perturbation_key(*names), 3) for names in keys] + [(perturbation_key(*keys[0]), 4)]
    hit, again = ([zeros(perturbed("whole", BIASED, key=k, draw=d)[29.0][0].w_rec) for k, d in draws] for _ in "ab")
    assert hit == again
    for i, places in enumerate(hit):
        assert all(len(places & others) < 60 for others in hit[:i])  # of 116; 34 on average


@pytest.mark.parametrize("name", ["module2", "silence", "noise"])
def test_draws_depend_neither_on_the_weights_nor_on_the_other_strengths(name):
    other, strengths = new_network(biases=True, seed=9), STDS if name == "noise" else PERCENTS
    alone, _ = perturbed(name, other, strengths[2:3])[strengths[2]]
    among, _ = perturbed(name, BIASED, strengths)[strengths[2]]
    assert not np.array_equal(alone.w_rec, among.w_rec)
    if name == "noise":
        drawn = (of.w_rec - np.asarray(intact.w_rec) for of, intact in ((alone, other), (among, BIASED)))
        np.testing.assert_allclose(*drawn, atol=1e-6)
    else:
        assert zeros(alone.w_rec) == zeros(among.w_rec) != set()


def test_noise_is_normal_with_the_mean_and_deviation_that_are_meant():
    large = Params(*(jnp.asarray(np.zeros(s, np.float32)) for s in ((300, 1), (300, 300), (1, 300), 300)))
    noisy, _ = jax.jit(lambda key: find("noise")(key, large, 0.02, RELEASED, module_of(len(large.w_rec), MODULES)))(KEY)
    drawn = np.asarray(noisy.w_rec, float).ravel() / 0.02
    assert abs(drawn.mean()) < 4 / np.sqrt(drawn.size) and abs(drawn.std() - 1) < 4 / np.sqrt(2 * drawn.size)
    assert abs(stats.kurtosis(drawn)) < 4 * np.sqrt(24 / drawn.size)
    for values in (drawn, np.asarray(noisy.b_rec, float) / 0.02):
        assert stats.kstest(values, "norm").pvalue > 0.01


def test_over_many_draws_every_place_is_hit_equally_often():
    """Without replacement counts vary less than multinomial ones, by the share 1 − p (and n − 1 of n)."""
    places, n_draws = np.arange(100), 3000
    draws = jax.vmap(lambda draw: choose(jax.random.fold_in(KEY, draw), 20.0, places))
    hit = np.asarray(jax.jit(draws)(np.arange(n_draws)))
    counts = np.bincount(hit.ravel(), minlength=100)
    statistic = np.sum((counts - 0.2 * n_draws) ** 2) / (n_draws * 0.2 * 0.8) * 99 / 100
    assert 0.005 < stats.chi2.sf(statistic, 99) < 0.995
    assert stats.chisquare(np.bincount(hit[:, 0], minlength=100)).pvalue > 0.005


@pytest.mark.parametrize("noisy", [False, True], ids=["noiseless", "noisy"])
@BOTH
def test_outputs_are_those_of_a_loop_and_to_the_bit_those_of_the_network_s_own_run(network, noisy):
    """To the bit on as many trials as sweeps have; on 80 or fewer XLA sums the readout in another order."""
    found = respond_alone(network, noise=NOISE if noisy else None)
    np.testing.assert_allclose(found, run_by_hand(network, noisy), atol=2e-5)
    inputs, noise = (jnp.asarray(np.tile(values, (1, 20, 1))) for values in (INPUTS, NOISE))
    found = respond_alone(network, inputs, noise if noisy else None)
    expected = np.asarray(jax.jit(run)(network, inputs, noise if noisy else None)[0])
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


def test_networks_respond_in_order_however_many_run_at_once():
    items = [Perturbed(0.1 * i, i, i, new_network(seed=i)) for i in range(7)]
    alone = [respond_alone(item.network, noise=NOISE) for item in items]
    assert np.abs(alone[0] - alone[1]).max() > 0.1
    for batch, tolerance in ((1, 0), (2, 1e-5), (5, 1e-5)):
        found = list(run_many(iter(items), INPUTS, jnp.asarray(NOISE), batch))
        assert len(found) == 7 and all(item is expected for (item, _), expected in zip(found, items, strict=True))
        np.testing.assert_allclose([values for _, values in found], alone, rtol=0, atol=tolerance)


def test_no_more_networks_are_drawn_than_run_at_once():
    drawn = []
    networks = (drawn.append(i) or Perturbed(1.0, i, 0, PLAIN) for i in range(3))
    responses = run_many(networks, INPUTS, None, 2)
    assert [(next(responses)[0].draw, len(drawn)) for _ in range(3)] == [(0, 2), (1, 2), (2, 3)]
    assert list(responses) == []


@pytest.mark.parametrize("memory_mb", [1500.0, 1507.0, 4000.0, 1e6, float("inf")])
def test_a_gpu_runs_as_many_networks_as_fit_its_memory_and_a_cpu_one(memory_mb):
    for each_mb in (0.5, 7.3, 60.0, 1000.0):
        assert batch_size(memory_mb, each_mb, "cpu") == 1
        batch = batch_size(memory_mb, each_mb, "gpu")
        assert 1 <= batch <= LARGEST_BATCH and PROCESS_MB + batch * each_mb <= memory_mb
        assert batch == LARGEST_BATCH or PROCESS_MB + (batch + 1) * each_mb > memory_mb


@pytest.mark.parametrize("backend", ["cpu", "gpu"])
def test_too_little_memory_is_refused_with_what_there_is_and_what_is_needed(backend):
    with pytest.raises(ValueError, match=rf"^mem_mb: 700 is not enough; .* needs {PROCESS_MB + 250} MB$"):
        batch_size(700.0, 250.0, backend)
    assert batch_size(PROCESS_MB + 250.0, 250.0, backend) == 1


def test_every_perturbation_has_strengths_and_is_run():
    assert list(PERTURBATIONS) == list(StrengthSettings.model_fields)
    assert set(sweep(RunConfig())) == {"module1", "module2"} | PERTURBATIONS.keys() - {"module"}
