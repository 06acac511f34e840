"""Diagnose what keeps a network on a plateau: memory in its states, the gradient through the delay, saturated units.

A network that answers with a constant has lost what it needs to remember. These numbers show whether the states at the
Go signal still encode the stimuli, and whether training could restore this: how much of the gradient of the
response's error reaches the steps at which the stimuli are shown.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from molap.tasks.trial import GO, N_STEPS, PULSES

SATURATED = 0.95
"""Absolute rate above which a unit counts as saturated: there tanh has less than a tenth of its slope at 0."""
RIDGE = 1e-6
"""Ridge of the decoder, as a fraction of the variance of the states, so that it does not depend on their scale."""
RESOLUTION = float(np.finfo(np.float32).eps)
"""Spacing of float32 at 1: smaller differences between rates are rounding, not memory."""

States = Float[np.ndarray, "trial unit"]
Values = Float[np.ndarray, "trial value"]


def state_variance(states: States) -> float:
    """Return the variance of the states over trials, averaged over units.

    (1/N) Σ_i (1/K) Σ_k (h_ik − mean_k h_ik)² for N units and K trials; rates are dimensionless.
    """
    return float(np.asarray(states, np.float64).var(axis=0).mean())


def decoded_r2(states: States, values: Values) -> Float[np.ndarray, " value"]:
    """Return the R² of each value, decoded linearly from the states.

    On the first half of the trials, weights w and offset b minimise Σ_k (v_k − w·h_k − b)² + α |w|², with
    α = K (`RIDGE` · `state_variance` + `RESOLUTION`²) for these K trials. On the second half,
    R² = 1 − Σ (v − v̂)² / Σ (v − mean v)²: at most 1, 0 for the best constant, below 0 for anything worse.

    Returns:
        One number per value; NaN if the value is constant over the second half.
    """
    states, values = (np.asarray(array, np.float64) for array in (states, values))
    half = len(states) // 2
    centre, offset = states[:half].mean(axis=0), values[:half].mean(axis=0)
    known = states[:half] - centre
    alpha = half * (RIDGE * state_variance(known) + RESOLUTION**2)
    weights = np.linalg.solve(known.T @ known + alpha * np.eye(states.shape[1]), known.T @ (values[:half] - offset))
    scored = values[half:]
    missed = ((scored - offset - (states[half:] - centre) @ weights) ** 2).sum(axis=0)
    spread = ((scored - scored.mean(axis=0)) ** 2).sum(axis=0)
    return 1 - np.divide(missed, spread, out=np.full(len(spread), np.nan), where=np.ptp(scored, axis=0) > 0)


def shown(inputs: Float[np.ndarray, "time trial channel"], window: tuple[int, int]) -> Values:
    """Return what each stimulus channel shows during a window: its mean over the steps of the window.

    All channels count except the first, which is the fixation. In T5 to T9 a pulse fills the window.
    """
    return np.asarray(inputs[slice(*window), :, 1:], np.float64).mean(axis=0)


def wanted(targets: Float[np.ndarray, "time trial output"], response: tuple[int, int] = (GO, N_STEPS)) -> Values:
    """Return the target of each output except the fixation, averaged over the response period."""
    return np.asarray(targets[slice(*response), :, 1:], np.float64).mean(axis=0)


def response_gradient(
    w_rec: Float[np.ndarray, "unit unit"],
    w_out: Float[np.ndarray, "output unit"],
    h: Float[np.ndarray, "time trial unit"],
    outputs: Float[np.ndarray, "time trial output"],
    targets: Float[np.ndarray, "time trial output"],
    response: tuple[int, int] = (GO, N_STEPS),
) -> Float[np.ndarray, "time trial unit"]:
    """Return the gradient of each trial's error in the response period with respect to the state at every step.

    E is the mean of (ŷ − y)² over outputs and the steps of the response period, in squared units of the output.
    Backwards in time, with h(t) = tanh(W_rec h(t−1) + …) and ŷ(t) = W_out h(t) + …,

    ∂E/∂h(t) = W_outᵀ ∂E/∂ŷ(t) + W_recᵀ [(1 − h(t+1)²) ∘ ∂E/∂h(t+1)].
    """
    w_rec, w_out, h = (np.asarray(array, np.float64) for array in (w_rec, w_out, h))
    start, stop = response
    error = np.asarray(outputs[start:stop], np.float64) - targets[start:stop]
    through_readout = 2 * error / (error.shape[0] * error.shape[2]) @ w_out
    found = np.zeros_like(h)
    for t in range(len(h) - 1, -1, -1):
        if t + 1 < len(h):
            found[t] = ((1 - h[t + 1] ** 2) * found[t + 1]) @ w_rec
        if start <= t < stop:
            found[t] += through_readout[t - start]
    return found


def saturated(h: Float[np.ndarray, "time trial unit"]) -> float:
    """Return the share of rates beyond ±`SATURATED`, in percent of all steps, trials and units."""
    return float(100 * (np.abs(h) > SATURATED).mean())


def spectral_radius(w_rec: Float[np.ndarray, "unit unit"]) -> float:
    """Return the largest absolute eigenvalue of W_rec."""
    return float(np.abs(np.linalg.eigvals(np.asarray(w_rec, np.float64))).max())


def symptoms(
    w_rec: Float[np.ndarray, "unit unit"],
    w_out: Float[np.ndarray, "output unit"],
    h: Float[np.ndarray, "time trial unit"],
    outputs: Float[np.ndarray, "time trial output"],
    inputs: Float[np.ndarray, "time trial channel"],
    targets: Float[np.ndarray, "time trial output"],
    response: tuple[int, int] = (GO, N_STEPS),
    pulses: Sequence[tuple[int, int]] = PULSES,
) -> dict[str, float]:
    """Return all numbers of this module for one network on trials of its task.

    Memory is decoded from the last state before the response.

    Returns:
        `state_variance`; `r2_target`, a mean over outputs; for each pulse p, `r2_pulse{p}_channel{c}` of each stimulus
        channel c, their mean `r2_pulse{p}`, and `gradient_pulse{p}`, the Euclidean norm of the gradient in the
        middle of the pulse, averaged over trials; `saturated` in percent; `spectral_radius`.
    """
    memory = np.asarray(h[response[0] - 1])
    r2 = decoded_r2(memory, wanted(targets, response))
    found = {"state_variance": state_variance(memory), "r2_target": float(r2.mean())}
    gradient = response_gradient(w_rec, w_out, h, outputs, targets, response)
    for number, (start, stop) in enumerate(pulses, start=1):
        by_channel = decoded_r2(memory, shown(inputs, (start, stop)))
        found[f"r2_pulse{number}"] = float(by_channel.mean())
        found |= {f"r2_pulse{number}_channel{c}": float(r2) for c, r2 in enumerate(by_channel, start=1)}
        norms = np.linalg.norm(gradient[(start + stop) // 2], axis=1)
        found[f"gradient_pulse{number}"] = float(norms.mean())
    return found | {"saturated": saturated(h), "spectral_radius": spectral_radius(w_rec)}
