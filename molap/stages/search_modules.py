"""Pre-train the modules of every candidate of a search, one module after the other (A.2.1)."""

from functools import partial
from typing import Literal

import numpy as np

from molap.config.training import PretrainingSettings
from molap.jobs.job import Job, run_job
from molap.networks.masks import pretraining_weights
from molap.networks.rnn import select_network, stack_networks
from molap.primitives.variates import Primitives
from molap.stages.module import module_batches, module_objective
from molap.stages.search import SearchSettings, batch_keys, draw_around, drawn_w_rec
from molap.stages.training_job import log_step
from molap.storage.files import load_arrays, save_arrays
from molap.tasks.corpus import Lengths
from molap.training.loop import Recipe
from molap.training.search import train_candidates, trials


class Settings(SearchSettings):
    """Settings that the modules of a search depend on, besides the fit."""

    phase: PretrainingSettings
    source: Literal["cca", "pca"]
    joint: bool
    tasks: tuple[str, ...]
    alignment: Literal["aligned", "independent"]
    lengths: Lengths = "pad"


def work(job: Job[Settings]) -> None:
    """Write W_rec after the last module, for every candidate and network seed."""
    s = job.settings
    primitives = Primitives.from_flat(load_arrays(job.inputs["primitives"]))
    networks, w_rec_of = trials(s.candidates, s.seeds), drawn_w_rec(s)
    params = stack_networks([draw_around(w_rec_of(one), one, 1, 1, "pretraining", s) for one in networks])
    for module in range(1, s.n_modules + 1):
        print(f"module {module}/{s.n_modules}", flush=True)
        params = train_candidates(
            [one.candidate for one in networks],
            params,
            pretraining_weights(select_network(params, 0), s.n_modules, module, s.phase.input_weights),
            partial(module_batches, primitives, s, module),
            batch_keys(networks, f"module{module}", s),
            Recipe(s.phase, s.optimiser, module_objective(s, s.n_units, module)),
            progress=log_step,
        )
    names, seeds = zip(*((one.candidate.name, one.seed) for one in networks), strict=True)
    arrays = {"w_rec": np.asarray(params.w_rec), "candidates": np.array(names), "seeds": np.array(seeds)}
    save_arrays(job.outputs["arrays"], job.provenance, **arrays)


if __name__ == "__main__":
    run_job("search_modules", Settings, work)
