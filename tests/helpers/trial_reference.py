"""The nine tasks built step by step in plain Python, from the table in docs/method.md."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from molap.config.tasks import TrialSettings
from molap.tasks.registry import load_tasks
from molap.tasks.trial import Conditions

# Inputs shown to the network, and targets, as rows of the table; c1, s1, c2, s2 are cos and sin of θ1 and θ2.
TABLE = {
    "delay_pro": ("cs", 110, lambda c1, s1, c2, s2: (c1, s1)),
    "delay_anti": ("cs", 110, lambda c1, s1, c2, s2: (-c1, -s1)),
    "mem_pro": ("cs", 85, lambda c1, s1, c2, s2: (c1, s1)),
    "mem_anti": ("cs", 85, lambda c1, s1, c2, s2: (-c1, -s1)),
    "mem_dm1": ("c", None, lambda c1, s1, c2, s2: (max(c1, c2),)),
    "mem_dm2": ("s", None, lambda c1, s1, c2, s2: (max(s1, s2),)),
    "context_mem_dm1": ("cs", None, lambda c1, s1, c2, s2: (max(c1, c2),)),
    "context_mem_dm2": ("cs", None, lambda c1, s1, c2, s2: (max(s1, s2),)),
    "multi_mem": ("cs", None, lambda c1, s1, c2, s2: (max(c1 + s1, c2 + s2),)),
}
DEGREES = [(10 * i, 10 * (7 * i + 3) % 360) for i in range(36)] + [(40, 40), (0, 180), (90, 270), (270, 90)]
QUIET = TrialSettings(input_noise=0.0)
KEY = jax.random.key(7)


def task_named(name):
    return load_tasks()[name]


def conditions_of(degrees, ends=None):
    radians = [[math.radians(first), math.radians(second)] for first, second in degrees]
    return Conditions(jnp.array(radians, jnp.float32), jnp.array(ends or [85] * len(degrees)))


def one_trial(name, theta1, theta2, memory_end=85):
    """Inputs and targets of one trial, step by step."""
    shown, end, decide = TABLE[name]
    if name in ("mem_pro", "mem_anti"):
        end = memory_end
    c1, s1, c2, s2 = (f(math.radians(theta)) for theta in (theta1, theta2) for f in (math.cos, math.sin))
    inputs, targets = [], []
    for step in range(110):
        fixation = 1.0 if 10 <= step < 85 else 0.0
        row = [fixation]
        for first, second in {"c": [(c1, c2)], "s": [(s1, s2)], "cs": [(c1, c2), (s1, s2)]}[shown]:
            if end is not None:
                row.append(first if 35 <= step < end else 0.0)
            elif 35 <= step < 45:
                row.append(first)
            elif 65 <= step < 75:
                row.append(second)
            else:
                row.append(0.0)
        inputs.append(row)
        answer = decide(c1, s1, c2, s2)
        targets.append([fixation, *(answer if step >= 85 else [0.0] * len(answer))])
    return inputs, targets


def expected_trials(name, degrees, ends=None):
    ends = ends or [85] * len(degrees)
    trials = [one_trial(name, *pair, end) for pair, end in zip(degrees, ends, strict=True)]
    return tuple(np.stack([np.array(trial[side]) for trial in trials], axis=1) for side in (0, 1))
