"""The columns of a run's tables: unit and meaning."""

import re

PERCENT, POINTS, NO_UNIT = "%", "percentage points", ""

_METRICS = {
    "accuracy": (PERCENT, "correct decisions, averaged over outputs, fixation included"),
    "decision_accuracy": (PERCENT, "correct decisions without the fixation output"),
    "all_correct": (PERCENT, "trials on which every output is correct"),
    "best_constant": (PERCENT, "accuracy of the best constant outputs, reached without any learning"),
    "mse": (NO_UNIT, "mean squared error over all steps, in rescaled units (targets span 0 to 1)"),
    "response_mse": (NO_UNIT, "mean squared error over the steps on which decisions are read"),
    "relative": (PERCENT, "accuracy in percent of the same network's intact accuracy"),
}
_AFTERWARDS = {
    "average": (PERCENT, "mean over tasks at the end of the sequence"),
    "right_after": (PERCENT, "mean over tasks, each right after it was learned"),
    "forgetting": (POINTS, "best former value minus the last, mean over tasks"),
    "backward_transfer": (POINTS, "last value minus the value right after learning, mean over tasks"),
    "forward_transfer": (POINTS, "value just before learning minus that of the untrained network, mean over tasks"),
}
_DIFFERENCES = {
    "difference": (POINTS, "accuracy with the task left out of the corpus minus accuracy with it included"),
    "to_none": (POINTS, "accuracy with the task left out minus that of the random reservoir"),
    "to_pca": (POINTS, "accuracy with the task left out minus that of PCA with the whole corpus"),
}
COLUMNS: dict[str, tuple[str, str]] = {
    "strategy": (NO_UNIT, "separate, molap, dni, sequential or joint"),
    "source": (NO_UNIT, "cca, pca, none or the name of an own network; rule or norule; - for separate networks"),
    "task": (NO_UNIT, "name of the task; all: mean over tasks"),
    "label": (NO_UNIT, "T1, T2, …"),
    "stage": (NO_UNIT, "module1, module2, …, a task, or joint"),
    "network_seed": (NO_UNIT, "seed of the network's weights"),
    "n_units": ("units", "size of the network"),
    "n_tasks": ("tasks", "number of tasks"),
    "n_test_trials": ("trials", "test trials that were scored"),
    "n_networks": ("networks", "network seeds behind the row"),
    "n_failed": ("networks", "networks whose accuracy is below that of the best constant output"),
    "lowest_accuracy": (PERCENT, "lowest accuracy of a network"),
    "n_seeds": ("networks", "network seeds behind the row"),
    **_METRICS,
    "perturbation": (NO_UNIT, "what is perturbed: module1, …, inter_module, whole, silence, noise; intact: nothing"),
    "strength": ("% or σ", "percent of the weights or units that are hit; of noise, its standard deviation"),
    "n_hit": ("weights or units", "weights or units that were hit"),
    "draw": (NO_UNIT, "number of the random draw, from 0"),
    "n_draws": ("draws", "random draws behind the row"),
    "up_to": ("% or σ", "largest strength"),
    "area": (PERCENT, "mean height of the curve of accuracy over strength"),
    "relative_area": (PERCENT, "the same of relative accuracy"),
    "left_out": (NO_UNIT, "tasks that the corpus lacks, joined by +; empty or missing for the whole corpus"),
    "n_left_out": ("tasks", "number of tasks left out"),
    "n_absent": ("tasks", "how many of them the corpus really lacks"),
    "place": (
        NO_UNIT,
        "in generalisation: which of the left-out tasks it is, from 1, or 0 for the whole corpus; in "
        "continual: number of tasks learned so far",
    ),
    **_DIFFERENCES,
    **{
        f"{name}_{end}": (unit, f"{end} end of the 95 % interval over network seeds: {what}")
        for name, (unit, what) in _DIFFERENCES.items()
        for end in ("low", "high")
    },
    "order": (NO_UNIT, "order of the tasks: 0 as in the configuration"),
    "after": (NO_UNIT, "the task learned last; missing before the first"),
    **{
        f"{metric}_{name}": (unit, f"{metric}: {what}")
        for metric in ("accuracy", "decision_accuracy")
        for name, (unit, what) in _AFTERWARDS.items()
    },
    "step": ("steps", "training steps until then"),
    "updates": ("updates of single weights", "weights trained × steps"),
    "updates_before": ("updates of single weights", "updates of pre-training, which all tasks share"),
    "loss": (NO_UNIT, "training loss, mean over ten steps"),
    "component": (NO_UNIT, "number of the component, from 1"),
    "correlation": (NO_UNIT, "correlation of the component's input and target side, -1 to 1"),
    "target_r2": (NO_UNIT, "share of the targets' variance that the first components explain, 0 to 1"),
    "weights": ("weights", "weights of the network"),
    "trained": ("weights", "weights that are trained"),
    "trained_per_task": ("weights", "weights that are trained, per task"),
    "separate_per_trained": (NO_UNIT, "weights that separate networks train, divided by those of this strategy"),
    "overall": ("weights", "weights in all"),
    "version": (NO_UNIT, "printed, corrected or counted"),
    "n_modules": ("modules", "number of modules"),
    "fixed": (NO_UNIT, "what stays the same as modules are added: network or module"),
    "explained_variance": (PERCENT, "variance of the targets that the components explain"),
    "claim": (NO_UNIT, "number of the claim"),
    "part": (NO_UNIT, "the part of the claim"),
    "must_be": (NO_UNIT, "what the effect must be for the part to hold"),
    "switch": (NO_UNIT, "the reading that is switched; none: nothing"),
    "mean": ("as the claim's", "effect, mean over network seeds"),
    "low": ("as the claim's", "low end of the effect's 95 % interval over network seeds"),
    "high": ("as the claim's", "high end of the effect's 95 % interval over network seeds"),
    "change": ("as the claim's", "effect minus that with nothing switched"),
    "change_low": ("as the claim's", "low end of the change's 95 % interval"),
    "change_high": ("as the claim's", "high end of the change's 95 % interval"),
    "low_limit": ("as the claim's", "the part holds above it"),
    "high_limit": ("as the claim's", "the part holds below it"),
    "verdict": (NO_UNIT, "holds, does not hold, undecided, practically equal, …"),
    "n_needed": ("networks", "networks that would decide it, if means and deviations stayed as they are"),
    "verdict_learned": (NO_UNIT, "the verdict without networks that failed"),
    "protocol": (NO_UNIT, "how networks were trained: now, or before the search"),
    "state_variance": (NO_UNIT, "variance of the rates over trials at the Go signal, mean over units"),
    "saturated": (PERCENT, "rates whose absolute value is above 0.95"),
    "spectral_radius": (NO_UNIT, "largest absolute eigenvalue of W_rec"),
    "r2_target": (NO_UNIT, "R² of the due response, decoded linearly from the states at the Go signal; at most 1"),
    **{name: ("weights", f"entries of {name}") for name in ("w_in", "w_rec", "w_out", "b_rec", "b_out", "h0")},
}
"""Columns that mean the same in every table: name → (unit, meaning)."""


def about(column: str) -> tuple[str, str]:
    """Return unit and meaning of a column.

    Raises:
        KeyError: if no table of a run has such a column.
    """
    if output := re.fullmatch(r"accuracy_output(\d+)", column):
        return PERCENT, f"correct decisions of output {output[1]}"
    if pulse := re.fullmatch(r"(r2|gradient)_pulse(\d+)(?:_channel(\d+))?", column):
        kind, number, channel = pulse.groups()
        of = f"pulse {number}" + (f", channel {channel}" if channel else "")
        if kind == "r2":
            return NO_UNIT, f"R² of {of}, decoded linearly from the states at the Go signal; at most 1"
        return (
            NO_UNIT,
            f"norm of the gradient of a trial's response error with respect to the state in {of}, mean over trials",
        )
    if column.endswith("_sd") and column not in COLUMNS:
        unit, what = COLUMNS[column.removesuffix("_sd")]
        return unit, f"standard deviation over draws of: {what}"
    return COLUMNS[column]
