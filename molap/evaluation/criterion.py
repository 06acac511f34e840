"""Decision accuracy (A.3), its variants, and the accuracy that a constant output reaches."""

import numpy as np
from jaxtyping import Bool, Float

from molap.config.evaluation import CriterionSettings

Signals = Float[np.ndarray, "time trial output"]
Means = Float[np.ndarray, "trial output"]


def window_means(signals: Signals, window: int) -> Means:
    """Return the mean over the last `window` steps, in float64."""
    return np.asarray(signals[-window:], np.float64).mean(axis=0)


def tolerances(target_means: Means, settings: CriterionSettings) -> Means:
    """Return the largest deviation allowed for each trial and output; the first output is the fixation."""
    allowed = np.full(target_means.shape, settings.tolerance)
    allowed[:, 0] = settings.fixation_tolerance
    return allowed * np.abs(target_means) if settings.criterion == "relative" else allowed


def correct_decisions(
    outputs: Signals, targets: Signals, settings: CriterionSettings
) -> Bool[np.ndarray, "trial output"]:
    """Return whether each output's mean over the window lies within the tolerance of its target's mean.

    |mean ŷ − mean y| ≤ δ (`absolute`, the text) or ≤ δ · |mean y| (`relative`, the released code).
    """
    target_means = window_means(targets, settings.window)
    deviation = np.abs(window_means(outputs, settings.window) - target_means)
    return deviation <= tolerances(target_means, settings)


def best_constant_accuracy(targets: Signals, settings: CriterionSettings) -> Float[np.ndarray, " output"]:
    """Return, for each output, the share of trials (0–1) on which the best constant output is correct.

    A constant c is correct on a trial if it lies in the interval mean ± tolerance. The best c lies in the most
    intervals, and the lower end of some interval is always among the best values.
    """
    target_means = window_means(targets, settings.window)
    allowed = tolerances(target_means, settings)
    best = []
    for low, high in zip((target_means - allowed).T, (target_means + allowed).T, strict=True):
        # For c at a lower end, count the intervals that have begun by then, minus those that ended strictly before.
        begun = np.searchsorted(np.sort(low), low, side="right")
        ended = np.searchsorted(np.sort(high), low, side="left")
        best.append((begun - ended).max() / len(low))
    return np.array(best)


def metrics(outputs: Signals, targets: Signals, settings: CriterionSettings) -> dict[str, float]:
    """Return all metrics of one network on one task; accuracies are in percent.

    Returns:
        `accuracy`: correct decisions averaged over outputs, as reported in the paper; `decision_accuracy`: the same
        without the fixation output; `all_correct`: trials with every output correct; `mse`: over all steps;
        `response_mse`: over the criterion's window; `best_constant`: `accuracy` of the best constant outputs;
        `accuracy_output1` …: accuracy of each output.
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
