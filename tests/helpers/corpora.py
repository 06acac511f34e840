"""Small corpora for the tests of the corpus and of the primitives."""

import jax
import numpy as np

from molap.config.tasks import TASK_NAMES, TrialSettings
from molap.tasks.corpus import draw_corpus
from molap.tasks.registry import load_tasks

KEY = jax.random.key(5)
N_TRIALS = 150


def tasks_named(names=TASK_NAMES):
    return [load_tasks()[name] for name in names]


def corpus(aligned=True, n_trials=N_TRIALS, names=TASK_NAMES, **changes):
    return draw_corpus(tasks_named(names), KEY, n_trials, TrialSettings(**changes), aligned)


def samples_of(batch):
    return tuple(np.asarray(values).reshape(-1, values.shape[-1]) for values in batch)
