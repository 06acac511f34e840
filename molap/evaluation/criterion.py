"""Decision accuracy (A.3), its variants, and the accuracy that a constant output reaches."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from molap.config.evaluation import CriterionSettings, TaskCriterion
from molap.tasks.registry import load_tasks
from molap.tasks.task import Decide

Signals = Float[np.ndarray, "time trial output"]
Seen = Float[np.ndarray, "window trial output"]
Means = Float[np.ndarray, "trial output"]

FIXATION = "fixation"
N_CONSTANTS = 100
BETTER = dict.fromkeys(("accuracy", "decision_accuracy", "all_correct", "best_constant"), "higher")
BETTER |= dict.fromkeys(("mse", "response_mse"), "lower")
"""Metrics say here whether higher or lower values are better; `better` adds the accuracy of single outputs."""


class Rule(NamedTuple):
    """Say how the decisions of a task are read; the defaults are those of the nine tasks."""

    fixation: int | None = 0
    """Index of the output that is the fixation, no decision."""
    window: tuple[int, int] | None = None
    """Steps over which a decision is read; if None, the last `window` steps of the settings."""
    decide: Decide | None = None
    """When decisions are right; if None, those of `correct_decisions`."""

    def seen(self, signals: Signals, settings: CriterionSettings) -> Seen:
        """Return the steps on which a decision is read."""
        return signals[-settings.window :] if self.window is None else signals[slice(*self.window)]


PAPER_RULE = Rule()


def rule_of(task: str, settings: TaskCriterion) -> Rule:
    """Return how the decisions of a task are read."""
    if not settings.modules:
        return PAPER_RULE
    own = load_tasks(settings.modules)[task]
    fixation = own.outputs.index(FIXATION) if FIXATION in own.outputs else None
    return Rule(fixation, own.window, own.decide)


def window_means(signals: Signals, settings: CriterionSettings, rule: Rule) -> Means:
    """Return the mean over the steps on which a decision is read, in float64."""
    return np.asarray(rule.seen(signals, settings), np.float64).mean(axis=0)


def tolerances(target_means: Means, settings: CriterionSettings, rule: Rule) -> Means:
    """Return the largest deviation allowed for each trial and output."""
    allowed = np.full(target_means.shape, settings.tolerance)
    if rule.fixation is not None:
        allowed[:, rule.fixation] = settings.fixation_tolerance
    return allowed * np.abs(target_means) if settings.criterion == "relative" else allowed


def correct_decisions(
    outputs: Signals, targets: Signals, settings: CriterionSettings, rule: Rule = PAPER_RULE
) -> Bool[np.ndarray, "trial decision"]:
    """Return whether each output's mean over the window lies within the tolerance of its target's mean.

    |mean ŷ − mean y| ≤ δ (`absolute`, the text) or ≤ δ · |mean y| (`relative`, the released code). A task with a rule
    of its own has the decisions of that rule instead.
    """
    if rule.decide is not None:
        return np.asarray(rule.decide(rule.seen(outputs, settings).copy(), rule.seen(targets, settings).copy()))
    target_means = window_means(targets, settings, rule)
    deviation = np.abs(window_means(outputs, settings, rule) - target_means)
    return deviation <= tolerances(target_means, settings, rule)


def best_constant_accuracy(
    targets: Signals, settings: CriterionSettings, rule: Rule = PAPER_RULE
) -> Float[np.ndarray, " decision"]:
    """Return, for each output, the share of trials (0–1) on which the best constant output is correct.

    A constant c is correct on a trial if it lies in the interval mean ± tolerance. The best c lies in the most
    intervals, and the lower end of some interval is always among the best values. For a task with a rule of its own,
    the constants that are tried are the targets' means over the window, of at most `N_CONSTANTS` trials.
    """
    target_means = window_means(targets, settings, rule)
    if rule.decide is not None:
        return _best_tried(target_means, rule.seen(targets, settings), rule.decide)
    allowed = tolerances(target_means, settings, rule)
    best = []
    for low, high in zip((target_means - allowed).T, (target_means + allowed).T, strict=True):
        # For c at a lower end, count the intervals that have begun by then, minus those that ended strictly before.
        begun = np.searchsorted(np.sort(low), low, side="right")
        ended = np.searchsorted(np.sort(high), low, side="left")
        best.append((begun - ended).max() / len(low))
    return np.array(best)


def _best_tried(means: Means, seen: Seen, decide: Decide) -> Float[np.ndarray, " decision"]:
    distinct = np.unique(means, axis=0)
    chosen = distinct[np.unique(np.linspace(0, len(distinct) - 1, N_CONSTANTS).astype(int))]
    shares = [np.asarray(decide(np.broadcast_to(one, seen.shape).copy(), seen.copy())).mean(axis=0) for one in chosen]
    return np.max(shares, axis=0)


def better(names: Iterable[str]) -> dict[str, str]:
    """Return for every metric of this module among the names whether `higher` or `lower` values are better."""
    directions = {name: BETTER.get(name, "higher" if name.startswith("accuracy_output") else "") for name in names}
    return {name: direction for name, direction in directions.items() if direction}


def metrics(
    outputs: Signals, targets: Signals, settings: CriterionSettings, rule: Rule = PAPER_RULE
) -> dict[str, float]:
    """Return all metrics of one network on one task; accuracies are in percent.

    Returns:
        `accuracy`: correct decisions averaged over outputs, as reported in the paper; `decision_accuracy`: the same
        without the fixation output; `all_correct`: trials with every output correct; `mse`: over all steps;
        `response_mse`: over the criterion's window; `best_constant`: `accuracy` of the best constant outputs;
        `accuracy_output1` …: accuracy of each output, or of each decision of a task with a rule of its own.
    """
    correct = correct_decisions(outputs, targets, settings, rule)
    per_output = 100 * correct.mean(axis=0)
    error = (np.asarray(outputs, np.float64) - targets) ** 2
    # Rules of tasks put fixation first if they judge it at all.
    first = rule.fixation if rule.decide is None or rule.fixation is None else 0
    decisions = per_output if first is None or len(per_output) == 1 else np.delete(per_output, first)
    return {
        "accuracy": float(per_output.mean()),
        "decision_accuracy": float(decisions.mean()),
        "all_correct": float(100 * correct.all(axis=1).mean()),
        "mse": float(error.mean()),
        "response_mse": float(rule.seen(error, settings).mean()),
        "best_constant": float(100 * best_constant_accuracy(targets, settings, rule).mean()),
    } | {f"accuracy_output{i + 1}": float(value) for i, value in enumerate(per_output)}
