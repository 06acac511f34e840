"""Decision accuracy (A.3), its variants, and the level that a constant output reaches."""

import numpy as np
from jaxtyping import Bool, Float

from molap.config.evaluation import CriterionSettings

Signals = Float[np.ndarray, "time trial output"]
Means = Float[np.ndarray, "trial output"]


def window_means(signals: Signals, window: int) -> Means:
    """Return the mean over the last `window` steps, in float64."""
    return np.asarray(signals[-window:], np.float64).mean(axis=0)


def tolerances(target_means: Means, settings: CriterionSettings) -> Means:
    """Return the largest deviation allowed per trial and output; the first output is the fixation."""
    allowed = np.full(target_means.shape, settings.tolerance)
    allowed[:, 0] = settings.fixation_tolerance
    return allowed * np.abs(target_means) if settings.criterion == "relative" else allowed


def correct_decisions(
    outputs: Signals, targets: Signals, settings: CriterionSettings
) -> Bool[np.ndarray, "trial output"]:
    """Say whether each output's mean over the window lies within the tolerance of its target's mean.

    |mean ŷ − mean y| ≤ δ (`absolute`, the text) or ≤ δ · |mean y| (`relative`, the released code).
    """
    target_means = window_means(targets, settings.window)
    deviation = np.abs(window_means(outputs, settings.window) - target_means)
    return deviation <= tolerances(target_means, settings)


def best_constant_accuracy(targets: Signals, settings: CriterionSettings) -> Float[np.ndarray, " output"]:
    """Return, per output, the share of trials (0–1) that the best constant output decides correctly.

    A constant c is correct on a trial if it lies in the interval mean ± tolerance; the best c lies in the most
    intervals, and one of their lower ends is always among the best.
    """
    target_means = window_means(targets, settings.window)
    allowed = tolerances(target_means, settings)
    best = []
    for low, high in zip((target_means - allowed).T, (target_means + allowed).T, strict=True):
        # At c = a lower end: intervals begun by then, less those ended strictly before.
        begun = np.searchsorted(np.sort(low), low, side="right")
        ended = np.searchsorted(np.sort(high), low, side="left")
        best.append((begun - ended).max() / len(low))
    return np.array(best)


def metrics(outputs: Signals, targets: Signals, settings: CriterionSettings) -> dict[str, float]:
    """Return every metric of one network on one task; accuracies in percent.

    Returns:
        `accuracy`: correct decisions averaged over outputs, the paper's number; `decision_accuracy`: without the
        fixation output; `all_correct`: trials with every output correct; `mse`: over all steps; `response_mse`:
        over the criterion's window; `best_constant`: `accuracy` of the best constant outputs;
        `accuracy_output1` …: per output.
    """
    correct = correct_decisions(outputs, targets, settings)
    per_output = 100 * correct.mean(axis=0)
    error = (np.asarray(outputs, np.float64) - targets) ** 2
    decisions = per_output[1:] if len(per_output) > 1 else per_output
    return {
        "accuracy": float(per_output.mean()),
        "decision_accuracy": float(decisions.mean()),
        "all_correct": float(100 * correct.all(axis=1).mean()),
        "mse": float(error.mean()),
        "response_mse": float(error[-settings.window :].mean()),
        "best_constant": float(100 * best_constant_accuracy(targets, settings).mean()),
    } | {f"accuracy_output{i + 1}": float(value) for i, value in enumerate(per_output)}
