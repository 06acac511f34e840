"""Networks that are trained together, each with numbers of its own."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_training import N_STEPS, N_UNITS, PHASES, assert_same_bytes, trained

from molap.config.training import OptimiserSettings, RecurrentPhaseSettings
from molap.networks.rnn import select_network, to_arrays
from molap.training.dni import Projections, project_updates
from molap.training.loop import Protection, Varied

pytestmark = pytest.mark.usefixtures("compile_once")

CANDIDATES = Varied(
    learning_rate=np.array([1e-2, 3e-3, 3e-2]),
    clip_norm=np.array([0.1, np.inf, 1e-3]),
    recurrent_rate=np.array([1.0, 0.1, 0.3]),
    readout_rate=np.array([1.0, 2.0, 0.5]),
)


@functools.cache
def alone(place: int, name: str, decay: str):
    """Train a network in a run of its own with a candidate's numbers, and return it with its curves."""
    rate, clip, recurrent, readout = (float(values[place]) for values in CANDIDATES)
    optimiser = OptimiserSettings(decay=decay, clip_norm=None if np.isinf(clip) else clip)
    own = RecurrentPhaseSettings(
        learning_rate=rate, n_steps=N_STEPS, batch_size=4, recurrent_rate=recurrent, readout_rate=readout
    )
    return trained([place], PHASES[name], optimiser=optimiser, phase=own)[1:]


@pytest.mark.parametrize(
    "mapped",
    [
        pytest.param("in turn", marks=pytest.mark.exhaustive),
        pytest.param("side by side", marks=pytest.mark.benchmarks),
    ],
)
@pytest.mark.parametrize(
    ("name", "decay"), [("all", "cosine"), ("all", "stages"), ("heads", "cosine"), ("module2", "constant")]
)
def test_candidates_that_are_trained_together_become_what_each_does_alone(name, decay, mapped, monkeypatch):
    """The phase's and the optimiser's own numbers do not matter; side by side is what a GPU does."""
    if mapped == "side by side":
        monkeypatch.setattr("molap.training.loop.over_seeds", jax.vmap)
    replaced = RecurrentPhaseSettings(
        learning_rate=0.5, n_steps=N_STEPS, batch_size=4, recurrent_rate=7.0, readout_rate=9.0
    )
    optimiser = OptimiserSettings(decay=decay, clip_norm=1e-6)
    seeds = range(3)
    start, together, curves = trained(seeds, PHASES[name], optimiser=optimiser, phase=replaced, varied=CANDIDATES)
    frozen = {name for name, mask in PHASES[name](select_network(start, 0))._asdict().items() if mask is False}
    for place in seeds:
        expected, expected_curves = alone(place, name, decay)
        for weight, value in to_arrays(select_network(expected, 0)).items():
            found = np.asarray(getattr(together, weight)[place])
            np.testing.assert_allclose(found, value, rtol=1e-5, atol=2e-6, err_msg=f"{weight} of {place}")
            assert (weight in frozen) == (found.tobytes() == np.asarray(getattr(start, weight)[place]).tobytes())
        np.testing.assert_allclose(curves.loss[place], expected_curves.loss[0], rtol=1e-5)


@pytest.mark.exhaustive
def test_other_candidates_are_trained_by_the_same_compiled_program():
    folder, found, programs = Path(jax.config.jax_compilation_cache_dir), [], []
    for factor in (1, 0.5):
        found.append(trained(range(3), varied=Varied(*(factor * values for values in CANDIDATES)))[2])
        programs.append({file.name for file in folder.glob("jit_steps*")})
    assert programs[0] == programs[1] != set()
    assert np.array_equal(found[0].loss[:, 0], found[1].loss[:, 0])
    assert (found[0].loss[:, 1:] != found[1].loss[:, 1:]).all()


@pytest.mark.exhaustive
def test_candidates_are_trained_with_protection_of_their_own():
    """Keep together what a network protects and what its candidate varies."""
    seeds = range(3)
    projections = [
        Projections(*(scale * jnp.eye(n) for n in (N_UNITS, N_UNITS + 1, 1, N_UNITS))) for scale in (1.0, 0.5, 0.2)
    ]
    stacked = Projections(*(jnp.stack(matrices) for matrices in zip(*projections, strict=True)))
    _, together, _ = trained(seeds, varied=CANDIDATES, protection=Protection(project_updates, stacked))
    for place in seeds:
        one = Projections(*(matrix[place : place + 1] for matrix in stacked))
        row = Varied(*(values[place : place + 1] for values in CANDIDATES))
        _, expected, _ = trained([place], varied=row, protection=Protection(project_updates, one))
        assert_same_bytes(select_network(together, place), select_network(expected, 0))
