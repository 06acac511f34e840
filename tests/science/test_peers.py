"""Check that every rival in the benchmark of a training step takes the same step."""

import jax
import numpy as np
import peers
import pytest

from molap.config.network import InitSettings
from molap.config.tasks import TrialSettings
from molap.networks.rnn import draw_params, draw_w_rec, respond
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks

N = 12
RIVALS = {
    "plain": lambda *given: peers.scanned(peers.plain, *given, 1),
    "flax": lambda *given: peers.scanned(peers.flax_rnn(N), *given, 1),
    "numpy": peers.numpy_by_hand,
    "torch": peers.torch_rnn,
}


@pytest.mark.parametrize("all_trained", [False, True])
@pytest.mark.parametrize("rival", RIVALS)
def test_a_rival_s_first_step_is_ours(rival, all_trained):
    params = draw_params(0, draw_w_rec(0, N, 1.5), 3, 3, "mem_pro", InitSettings(readout_init="n_units"))
    trials = draw_trials(load_tasks()["mem_pro"], jax.random.key(0), 7, TrialSettings())
    given = params, (trials.inputs, trials.targets), all_trained
    try:
        step, n = RIVALS[rival](*given)
        found = step()
    except ImportError as missing:
        pytest.skip(str(missing))
    ours = peers.scanned(respond, *given, 1)[0]()
    assert n == 1 and found.keys() == ours.keys() and ("w_rec" in ours) == all_trained
    for name, weights in ours.items():
        moved = np.abs(weights - getattr(params, name))
        assert moved.max() > peers.RATE / 2
        np.testing.assert_allclose(found[name], weights, rtol=0, atol=0.02 * peers.RATE, err_msg=name)
