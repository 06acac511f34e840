"""Draw the random networks from which pre-training starts; without pre-training they serve as the reservoirs."""

from typing import Literal

import numpy as np

from molap.config.base import Section
from molap.config.network import InitSettings, RecurrentInit
from molap.jobs.job import Job, run_job
from molap.networks.rnn import draw_b_rec, draw_params, draw_w_rec, stack_networks, to_arrays
from molap.storage.files import save_arrays


class Settings(Section):
    """Settings that the random networks depend on."""

    seeds: tuple[int, ...]
    n_units: int
    n_modules: int
    gain: float
    recurrent_init: RecurrentInit
    inter_module: Literal["random", "zero"]
    init: InitSettings


def work(job: Job[Settings]) -> None:
    """Write networks with one input and one output, one per seed."""
    settings = job.settings
    drawn = []
    for seed in settings.seeds:
        sizes = settings.n_units, settings.gain, settings.inter_module, settings.n_modules
        w_rec = draw_w_rec(seed, *sizes, settings.recurrent_init)
        b_rec = draw_b_rec(seed, settings.n_units, settings.gain)
        drawn.append(draw_params(seed, w_rec, 1, 1, "pretraining", settings.init, b_rec))
    params = stack_networks(drawn)
    save_arrays(job.outputs["arrays"], job.provenance, seeds=np.array(settings.seeds), **to_arrays(params))


if __name__ == "__main__":
    run_job("reservoir", Settings, work)
