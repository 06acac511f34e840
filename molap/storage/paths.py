"""Where every output lies, and what it holds. The table in `results/README.md` is made from this file."""

from collections.abc import Sequence
from typing import NamedTuple

RESULTS = "results"
IN_SEQUENCE = ("dni", "sequential")
"""Strategies that teach one network the tasks in turn."""
FITTED = ("cca", "pca")
"""Sources that are fitted on the corpus, and for which modules are pre-trained."""
NO_SWITCH = "none"
"""The run of the attribution in which no reading is switched."""
FORMER = "protocol"
"""The switch to how networks were trained before."""
PROGRAMS = {"validation": "testset", "fig_yardsticks": "fig_dni"}
"""Of outputs that another one's program makes, that program."""
ALL_TASKS = "all"
"""In tables, the mean over tasks."""


class Output(NamedTuple):
    """A kind of output file: its place below `results/`, and what it holds."""

    template: str
    description: str
    """Given by name, so that the digests of the source leave it out."""


OUTPUTS = {
    "configuration": Output("{run}/configuration.json", description="every setting of the run, defaults included"),
    "corpus": Output(
        "{run}/corpus/corpus.npz",
        description="`inputs` (time, trial, channel) and `targets` (time, trial, output) of all tasks side by side, "
        "rescaled; `input_names`, `target_names`",
    ),
    "testset": Output(
        "{run}/testsets/{task}.npz",
        description="`inputs`, `targets` (time, trial, channel), rescaled; `angles` (trial, 2) in radians",
    ),
    "validation": Output(
        "{run}/validation/{task}.npz", description="validation trials, on which learning is followed; as a test set"
    ),
    "primitives": Output(
        "{run}/primitives/{source}.npz",
        description="for `inputs_` and `targets_`: `mean`, `scale` (channel), `weights` (channel, component), `low`, "
        "`high` (component); `correlations`, `target_r2` (component)",
    ),
    "reservoir": Output(
        "{run}/networks/{block}/reservoir.npz",
        description="random networks before any training: `w_in` (seed, unit, 1), `w_rec` (seed, unit, unit; row "
        "receives), `w_out` (seed, 1, unit), `seeds`; with biases also `b_rec`, `b_out`, `h0`",
    ),
    "own_network": Output(
        "{run}/networks/{block}/given/{source}.npz",
        description="a recurrent network of the user's own: `w_rec` (the same for every seed), `seeds`, `modules` "
        "where known",
    ),
    "module": Output(
        "{run}/networks/{block}/molap-{source}/module{module}.npz",
        description="as the reservoir, after pre-training modules 1 … m in turn",
    ),
    "head": Output(
        "{run}/networks/{block}/molap-{source}/{task}.npz",
        description="trained networks: `w_in` (seed, unit, channel), `w_rec` (frozen), `w_out` (seed, output, unit), "
        "`seeds`; `{task}.checkpoints.npz` beside it: what was trained (checkpoint, seed, …) after `steps` 0, 1, 2, "
        "5, 10, …",
    ),
    "separate": Output(
        "{run}/networks/{block}/separate/{task}.npz",
        description="trained networks, all weights; arrays and checkpoints as for heads",
    ),
    "sequence": Output(
        "{run}/sequences/{block}/{kind}/order{order}/{task}.npz",
        description="one network for all tasks, after learning {task} as the last: arrays and checkpoints as for "
        "heads, with the channels `input_names`, `output_names`; `inputs_…`, `outputs_…`, `rule_…` the places of each "
        "task's own; with DNI `memory_z`, `memory_wz`, `memory_y`, the running covariances",
    ),
    "joint": Output(
        "{run}/sequences/{block}/{kind}/joint.npz",
        description="one network trained on all tasks at once; arrays and checkpoints as for a sequence",
    ),
    "scores": Output(
        "{run}/sequences/{block}/{kind}/order{order}/scores.json",
        description="one row per network seed, place in the sequence (0: untrained) and task tested: every metric on "
        "the test set",
    ),
    "evaluation": Output(
        "{run}/evaluation/{block}/{kind}/{task}.json",
        description="one row per network seed: every metric on the test set",
    ),
    "learned": Output(
        "{run}/learned/{block}/{kind}.json",
        description="one row per task, network seed and checkpoint of training: every metric on the validation trials",
    ),
    "example": Output(
        "{run}/examples/{block}/{kind}/{task}.npz",
        description="of the block's first network: `outputs`, `targets` (time, trial, output) and `error` (trial, "
        "output) on some test trials, `rates` (time, unit) of the first, `w_rec`, `w_out`",
    ),
    "perturbation": Output(
        "{run}/perturbations/{block}/{kind}/{task}.csv",
        description="one row per network seed, perturbation, strength and draw: entries or units hit, and every "
        "metric; `{task}.cells.npz` beside it holds the same for a sweep that goes on",
    ),
    "lesioned": Output(
        "{run}/lesioned/{block}/{kind}/{task}.npz",
        description="of the block's first network, with each kind of modular lesion: `outputs`, `targets` (…, time, "
        "trial, output) and `error` (…, trial, output) on some test trials; `perturbations`, their names",
    ),
    "performance": Output(
        "{run}/tables/performance.csv", description="one row per strategy, source, task and network seed: every metric"
    ),
    "counts": Output(
        "{run}/tables/counts.csv", description="weights trained and in all per strategy, source and stage"
    ),
    "table1": Output(
        "{run}/tables/table1.csv", description="Table 1: as printed, corrected, and counted from the networks"
    ),
    "components": Output(
        "{run}/tables/components.csv", description="canonical correlations and explained target variance by component"
    ),
    "curves": Output(
        "{run}/tables/curves.csv",
        description="training loss and MSE by step, averaged over ten steps, for each network",
    ),
    "learning": Output(
        "{run}/tables/learning.csv",
        description="one row per strategy, source, task, network seed and checkpoint: updates until then, and every "
        "metric on validation trials",
    ),
    "scaling": Output(
        "{run}/tables/scaling.csv", description="weights and updates by number of tasks and of units, from the formulas"
    ),
    "continual": Output(
        "{run}/tables/continual.csv",
        description="one row per kind, order, network seed, place in the sequence and task tested: every metric",
    ),
    "forgetting": Output(
        "{run}/tables/forgetting.csv",
        description="one row per kind, order and network seed: average accuracy, forgetting, forward and backward "
        "transfer",
    ),
    "robustness": Output(
        "{run}/tables/robustness.csv",
        description="one row per network, perturbation and strength: mean and standard deviation of every metric over "
        "draws; task `all` is the mean over tasks",
    ),
    "areas": Output(
        "{run}/tables/areas.csv",
        description="one row per network and perturbation: area under the curve of accuracy over strength",
    ),
    "generalisation": Output(
        "{run}/tables/generalisation.csv",
        description="one row per task, source, corpus and network seed: every metric; `left_out` names the tasks that "
        "the corpus lacks, `place` tells which of them the task is (0: the corpus has it)",
    ),
    "differences": Output(
        "{run}/tables/differences.csv",
        description="one row per task, source and left-out set: accuracy left out − included, paired by network seed, "
        "with its 95 % interval",
    ),
    "claims": Output(
        "{run}/tables/claims.csv",
        description="one row per claim of the paper: verdict, the part that decides it with its effect and 95 % "
        "interval over network seeds, figures and tables that show it",
    ),
    "claim_parts": Output(
        "{run}/tables/claim_parts.csv",
        description="one row per part of a claim: what must be, effect, interval, verdict",
    ),
    "fig1c": Output("{run}/figures/fig1c.png", description="Fig 1C: parameter counts; data in `fig1c.csv`"),
    "fig2": Output("{run}/figures/fig2.png", description="Fig 2: performance and T7; data in `fig2_*.csv`"),
    "fig_dni": Output(
        "{run}/figures/fig_dni.png",
        description="learning in sequence: accuracy on every task after every task; data in `fig_dni_*.csv`",
    ),
    "fig3": Output("{run}/figures/fig3.png", description="Fig 3: lesions by module; data in `fig3_*.csv`"),
    "fig5": Output(
        "{run}/figures/fig5.png",
        description="Fig 5: tasks that were left out of the corpus, and what leaving them out costs; data in "
        "`fig5_*.csv`",
    ),
    "fig_learning": Output(
        "{run}/figures/fig_learning.png",
        description="accuracy while learning, against steps and against updates; data in `fig_learning_*.csv`",
    ),
    "fig_scaling": Output(
        "{run}/figures/fig_scaling.png", description="updates by number of tasks and of units; data in `.csv`"
    ),
    "fig_curves": Output(
        "{run}/figures/{figure}.png",
        description="Fig 4, Figs S1 to S5, and `fig_relative`: accuracy against the strength of a perturbation; data "
        "in `.csv`",
    ),
    "fig_matched": Output(
        "{run}/figures/fig_matched.png", description="lesions compared at the same number of weights; data in `.csv`"
    ),
    "fig_areas": Output(
        "{run}/figures/fig_areas.png", description="area under the curve by perturbation and kind; data in `.csv`"
    ),
    "modules": Output(
        "{run}/modules/modules.csv",
        description="one row per number of modules, what is held fixed (size of `network` or `module`), source, task "
        "and network seed: every metric, explained variance, weights and updates",
    ),
    "fig_yardsticks": Output(
        "{run}/yardsticks/fig_yardsticks.png",
        description="networks that learn all tasks beside their yardsticks; data in `.csv`",
    ),
    "fig_modules": Output("{run}/modules/fig_modules.png", description="the number of modules; data in `.csv`"),
    "pages": Output(
        "{run}/report/parameters.html",
        description="for the report: every setting, and beside it every table but `curves.csv` as a page "
        "(`performance.html`, …)",
    ),
    "claims_page": Output(
        "{run}/report/claims.html",
        description="for the report: the verdicts, then each claim with its figures and numbers; as Markdown in "
        "`claims.md`",
    ),
    "provenance": Output(
        "{run}/report/provenance.html",
        description="for the report: time and memory by stage, versions, machines, digests, from the records",
    ),
    "attribution": Output(
        "{run}/attribution/attribution.csv",
        description="one row per part of a claim and switched reading (`none`: nothing switched): effect, 95 % "
        "interval, change against nothing switched, verdict",
    ),
    "fig_attribution": Output(
        "{run}/attribution/fig_attribution.png",
        description="how effects move with one reading at a time; data in `.csv`",
    ),
    "plateau": Output(
        "{run}/plateau/{block}/{task}.csv",
        description="of separate networks, one row per network seed and checkpoint of training: what the states still "
        "hold at the Go signal, the gradient through the delay, saturated rates, spectral radius",
    ),
    "plateau_table": Output(
        "{run}/plateau/plateau.csv",
        description="the same of all seeds, trained as in this run (`protocol` now) and as before the search for how "
        "networks are trained (before)",
    ),
    "fig_plateau": Output(
        "{run}/plateau/fig_plateau.png",
        description="why separate networks used to get stuck; data in `fig_plateau_*.csv`",
    ),
    "search_modules": Output(
        "{run}/tune/{grid}/molap-{source}/modules.npz",
        description="pre-trained modules of every candidate of a grid: `w_rec` (network, unit, unit); `candidates` "
        "and `seeds` (network)",
    ),
    "search": Output(
        "{run}/tune/{grid}/{kind}/{task}.csv",
        description="one row per candidate of a grid and network seed: scores on validation trials",
    ),
    "search_sequence": Output(
        "{run}/tune/{grid}/{kind}/sequence.csv",
        description="one row per candidate of a grid, network seed and task: scores on validation trials at the end "
        "of the sequence, and right after the task",
    ),
    "tune_table": Output(
        "{run}/tune/tune_table.csv",
        description="one row per kind, candidate and task: the candidate's fields, validation accuracy (mean and "
        "lowest over networks), networks, and how many of them failed: stayed below the best constant output",
    ),
    "tune_choice": Output(
        "{run}/tune/tune_choice.csv",
        description="one row per kind and candidate, and per candidate for `all` kinds: networks, failures, "
        "validation accuracy, steps and rank (fewest failures, then highest accuracy to 0.1 points, then fewest "
        "steps)",
    ),
    "fig_tune": Output(
        "{run}/tune/fig_tune.png", description="the search for how networks are trained; data in `.csv`"
    ),
}


def path(output: str, run: str, **wildcards: object) -> str:
    """Return the path of an output; e.g. `path("head", "paper", block="s0", source="cca", task="mem_pro")`."""
    return f"{RESULTS}/{OUTPUTS[output].template.format(run=run, **wildcards)}"


def chain_name(left_out: Sequence[str]) -> str:
    """Return the name of a set of left-out tasks."""
    return "+".join(left_out)


def chain_run(run: str, left_out: Sequence[str]) -> str:
    """Return the run inside a run whose corpus lacks some tasks."""
    return f"{run}/without/{chain_name(left_out)}"


def modules_run(run: str, size: str) -> str:
    """Return the run inside a run that has another number of modules."""
    return f"{run}/modules/{size}"


def yardsticks_run(run: str) -> str:
    """Return the run inside a run that holds what the networks which learn all tasks are measured by."""
    return f"{run}/yardsticks"


def switch_run(run: str, switch: str) -> str:
    """Return the run inside a run in which one reading is switched."""
    return f"{run}/switch/{switch}"


def network_path(run: str, block: str, kind: str, task: str) -> str:
    """Return the file of the network that a kind (`separate`, `molap-cca`, `dni-rule`, …) has after training on a
    task."""
    strategy, _, variant = kind.partition("-")
    if strategy == "separate":
        return path("separate", run, block=block, task=task)
    if strategy == "joint":
        return path("joint", run, block=block, kind=kind)
    if strategy in IN_SEQUENCE:
        return path("sequence", run, block=block, kind=kind, order=0, task=task)
    return path("head", run, block=block, source=variant, task=task)


def checkpoints_path(network: str) -> str:
    """Return the checkpoints beside a network that was trained on tasks."""
    return network.removesuffix(".npz") + ".checkpoints.npz"


def block_name(seeds: list[int] | range) -> str:
    """Return the name of a block of network seeds: `s0`, or `s0-3` for several."""
    return f"s{seeds[0]}" if len(seeds) == 1 else f"s{seeds[0]}-{seeds[-1]}"


def block_seeds(block: str) -> list[int]:
    """Return the inverse of `block_name`."""
    first, _, last = block.removeprefix("s").partition("-")
    return list(range(int(first), int(last or first) + 1))
