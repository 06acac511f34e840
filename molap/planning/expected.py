"""Estimate how long jobs take, by scaling the times measured for the preset to a configuration."""

from collections.abc import Mapping

from molap.config.run import RunConfig
from molap.config.training import PhaseSettings
from molap.planning.contents import blocks, n_units, perturbed_kinds, sweep


def expected_seconds(c: RunConfig, measured: Mapping[str, Mapping[str, str]]) -> dict[str, float]:
    """Return the seconds that an average job of each stage is expected to take with a configuration.

    Args:
        c: the configuration.
        measured: by stage, its row of `workflow/resources.csv`: CPU seconds of an average job of the preset `paper`,
            `overhead_s` for start-up and compilation, which do not depend on the configuration, and `computing_s`.
    """
    own, preset = computing(c), computing(RunConfig())
    more = {stage: own[stage] / preset[stage] for stage in own}
    return {
        stage: float(row["overhead_s"]) + float(row["computing_s"]) * more.get(stage, 1)
        for stage, row in measured.items()
    }


def computing(c: RunConfig) -> dict[str, float]:
    """Return how much an average job computes, in a unit of each stage's own, for the stages that take long."""
    n_seeds = c.seeds.networks / len(blocks(c))
    own, separate, shared = c.network.n_units, c.separate_network.n_units, c.dni.n_units
    n_tasks, trials = len(c.tasks.names), c.evaluation
    amounts = {
        "module": training(c.pretraining, own),
        "head": training(c.heads, own),
        "separate": training(c.separate, separate),
        "sequence": training(c.dni, shared),
        "joint": c.dni.joint_steps * c.dni.batch_size * per_trial(shared),
        "scores": n_tasks * (n_tasks + 1) * trials.n_trials * per_trial(shared),
        "learned": n_tasks * trials.n_validation * per_trial(own),
        "perturbation": perturbing(c),
    }
    return {stage: n_seeds * amount for stage, amount in amounts.items()}


def training(phase: PhaseSettings, units: int) -> float:
    """Return how much a training phase computes."""
    return phase.n_steps * phase.batch_size * per_trial(units)


def perturbing(c: RunConfig) -> float:
    """Return how much the sweep of one network computes, averaged over kinds."""
    n_trials = min(c.perturbations.n_trials, c.evaluation.n_trials)
    runs = [sum(map(len, sweep(c, kind).values())) * per_trial(n_units(c, kind)) for kind in perturbed_kinds(c)]
    return c.perturbations.draws * n_trials * sum(runs) / max(len(runs), 1)


def per_trial(units: int) -> float:
    """Return how the time of a trial grows with the number of units N, as measured (docs/costs.md)."""
    return units * (1 + units / 100)
