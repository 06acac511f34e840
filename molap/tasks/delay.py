"""T1–T4: respond in the direction of a stimulus, or opposite to it, with or without a memory period.

Source: paper A.1; timing as in the released code.
"""

import jax.numpy as jnp

from molap.config.tasks import TrialSettings
from molap.tasks.trial import (
    N_STEPS,
    STIMULUS_ON,
    Channels,
    Conditions,
    channels,
    during,
    fixation,
    response,
)


def _directed(conditions: Conditions, end, sign: float) -> Channels:
    cos, sin = jnp.cos(conditions.angles[:, 0]), jnp.sin(conditions.angles[:, 0])
    stimulus = during(STIMULUS_ON, end)
    inputs = channels(fixation(), stimulus * cos, stimulus * sin)
    return inputs, channels(fixation(), response(sign * cos), response(sign * sin))


def _anti_sign(settings: TrialSettings) -> float:
    # In the released code, a variable that is unpacked twice gives the anti tasks the targets of the pro tasks.
    return -1.0 if settings.anti == "opposite" else 1.0


def delay_pro(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T1 DelayPro: the stimulus stays on; respond in its direction."""
    return _directed(conditions, N_STEPS, 1.0)


def delay_anti(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T2 DelayAnti: the stimulus stays on; respond in the opposite direction."""
    return _directed(conditions, N_STEPS, _anti_sign(settings))


def mem_pro(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T3 MemPro: the stimulus is gone at the Go signal; respond in its direction."""
    return _directed(conditions, conditions.memory_end, 1.0)


def mem_anti(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T4 MemAnti: the stimulus is gone at the Go signal; respond in the opposite direction."""
    return _directed(conditions, conditions.memory_end, _anti_sign(settings))
