"""The tables of a run, one row each. A new table takes a row here, a program in `molap/stages/`, and its function."""

from molap.claims.reading import followed_claims
from molap.config.run import RunConfig
from molap.planning.contents import (
    fitted_sources,
    label_pairs,
    left_out_sets,
    module_sizes,
    plateau_tasks,
    scaling_sizes,
    sequence_kinds,
    sweep,
)
from molap.planning.rows import Table, never, tables
from molap.planning.setting_parts import channels, training_steps
from molap.storage.paths import NO_SWITCH


def _labels(c: RunConfig) -> dict:
    return {"labels": label_pairs(c)}


def _in_turn(c: RunConfig) -> bool:
    return bool(sequence_kinds(c))


def _perturbed(c: RunConfig) -> bool:
    return bool(sweep(c))


def _left_out(c: RunConfig) -> bool:
    return bool(left_out_sets(c))


TABLES = {
    "performance": Table(
        "one row per strategy, source, task and network seed: every metric",
        "Table of performance",
        lambda inputs, w: inputs.evaluations(w),
        _labels,
    ),
    "failures": Table(
        "one row per strategy, source and task: how many networks stayed below the best constant output",
        "Table of networks that failed",
        tables("performance"),
    ),
    "counts": Table(
        "weights trained and in all per strategy, source and stage",
        "Table of weights trained",
        lambda inputs, w: inputs.records_of_a_block(w),
    ),
    "table1": Table(
        "Table 1: as printed, corrected, and counted from the networks",
        "Table 1",
        tables("counts"),
    ),
    "curves": Table(
        "training loss and MSE by step, averaged over ten steps, for each network",
        "Table of training curves",
        lambda inputs, w: inputs.records(w),
        as_page=False,
    ),
    "components": Table(
        "canonical correlations and explained target variance by component",
        "Table of canonical correlations and explained variance",
        lambda inputs, w: inputs.fits(w),
        lambda c: {"sources": fitted_sources(c)},
        wanted=lambda c: bool(fitted_sources(c)),
    ),
    "continual": Table(
        "one row per kind, order, network seed, place in the sequence and task tested: every metric",
        "Table of accuracy after every task",
        lambda inputs, w: inputs.scores(w),
        wanted=_in_turn,
    ),
    "forgetting": Table(
        "one row per kind, order and network seed: average accuracy, forgetting, forward and backward transfer",
        "Table of forgetting and transfer",
        tables("continual"),
        wanted=_in_turn,
    ),
    "robustness": Table(
        "one row per network, perturbation and strength: mean and standard deviation of every metric over draws; "
        "task `all` is the mean over tasks",
        "Table of performance under perturbations",
        lambda inputs, w: inputs.sweeps(w),
        wanted=_perturbed,
    ),
    "areas": Table(
        "one row per network and perturbation: area under the curve of accuracy over strength",
        "Table of areas under the curves",
        tables("robustness"),
        wanted=_perturbed,
    ),
    "generalisation": Table(
        "one row per task, source, corpus and network seed: every metric; `left_out` names the tasks that the corpus "
        "lacks, and `place` says which of them the task is (0: the corpus has it)",
        "Table of generalisation",
        lambda inputs, w: inputs.left_out_evaluations(w),
        lambda c: {"labels": label_pairs(c), "single": c.generalisation.single},
        wanted=_left_out,
    ),
    "differences": Table(
        "one row per task, source and left-out set: difference in accuracy (left out − included), paired by network "
        "seed, with its 95 % interval",
        "Table of differences between left out and included",
        tables("generalisation"),
        wanted=_left_out,
    ),
    "learning": Table(
        "one row per strategy, source, task, network seed and checkpoint: updates up to that point, and every metric "
        "on validation trials",
        "Table of accuracy while learning",
        lambda inputs, w: inputs.learned(w),
        _labels,
    ),
    "scaling": Table(
        "weights and updates by number of tasks and number of units, from the formulas",
        "Table of weights and updates by number of tasks and units",
        tables(),
        lambda c: {
            "trials": channels(c),
            "tasks": list(c.tasks.names),
            "sizes": scaling_sizes(c),
            "n_modules": c.network.n_modules,
            "steps": training_steps(c),
            "biases": c.network.biases,
        },
    ),
    "modules": Table(
        "one row per number of modules, size that is held fixed (of the `network` or the `module`), source, task and "
        "network seed: every metric, explained variance, weights and updates",
        "Table of the number of modules",
        lambda inputs, w: inputs.numbers_of_modules(w),
        lambda c: {
            "labels": label_pairs(c),
            "sizes": module_sizes(c),
            "trials": channels(c),
            "steps": training_steps(c),
            "biases": c.network.biases,
        },
        wanted=never,
        template="{run}/modules/modules.csv",
    ),
    "plateau_table": Table(
        "the rows of the plateau files for all seeds, trained as in this run (`protocol` now) and as before the search "
        "for how networks are trained (before)",
        "Table of what keeps separate networks on a plateau",
        lambda inputs, w: inputs.both_protocols(w),
        lambda c: {"labels": label_pairs(c, plateau_tasks(c))},
        wanted=never,
        template="{run}/plateau/plateau.csv",
    ),
    "attribution": Table(
        "one row per part of a claim and switched reading (`none`: nothing switched): effect, 95 % interval, change "
        "relative to nothing switched, verdict",
        "Effects of claims with one reading switched at a time",
        lambda inputs, w: inputs.switch_tables(w),
        lambda c: {"claims": followed_claims(c).model_dump(mode="json"), "none": NO_SWITCH},
        wanted=never,
        template="{run}/attribution/attribution.csv",
    ),
}
"""Tables by name, in the order in which the report's pages and the claims use them."""


def wanted_tables(c: RunConfig) -> list[str]:
    """Return the tables that the default target makes."""
    return [name for name, table in TABLES.items() if table.wanted(c)]


def paged_tables(c: RunConfig) -> list[str]:
    """Return the tables that the report shows as pages."""
    return [name for name in wanted_tables(c) if TABLES[name].as_page]
