"""T5–T9: compare two pulses held in memory, with or without a second stream to ignore.

Source: paper A.1; timing as in the released code. Stream 1 carries cos θ1, cos θ2; stream 2 sin θ1, sin θ2.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from molap.config.tasks import TrialSettings
from molap.tasks.trial import Channels, Conditions, channels, fixation, pulses, response

Pulses = tuple[Float[Array, " trial"], Float[Array, " trial"]]


def _streams(conditions: Conditions) -> tuple[Pulses, Pulses]:
    first, second = conditions.angles[:, 0], conditions.angles[:, 1]
    return (jnp.cos(first), jnp.cos(second)), (jnp.sin(first), jnp.sin(second))


def _one_stream(stream: Pulses) -> Channels:
    return channels(fixation(), pulses(*stream)), channels(fixation(), response(jnp.maximum(*stream)))


def _both_streams(conditions: Conditions, value: Float[Array, " trial"]) -> Channels:
    one, two = _streams(conditions)
    return channels(fixation(), pulses(*one), pulses(*two)), channels(fixation(), response(value))


def mem_dm1(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T5 MemDm1: only stream 1 is shown; report its higher pulse."""
    return _one_stream(_streams(conditions)[0])


def mem_dm2(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T6 MemDm2: only stream 2 is shown; report its higher pulse."""
    return _one_stream(_streams(conditions)[1])


def context_mem_dm1(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T7 ContextMemDm1: both streams are shown; report the higher pulse of stream 1."""
    return _both_streams(conditions, jnp.maximum(*_streams(conditions)[0]))


def context_mem_dm2(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T8 ContextMemDm2: both streams are shown; report the higher pulse of stream 2."""
    return _both_streams(conditions, jnp.maximum(*_streams(conditions)[1]))


def multi_mem(conditions: Conditions, settings: TrialSettings) -> Channels:
    """Build trials of T9 MultiMem: both streams are shown; report the larger of the two pulses' sums over streams."""
    (cos1, cos2), (sin1, sin2) = _streams(conditions)
    return _both_streams(conditions, jnp.maximum(cos1 + sin1, cos2 + sin2))
