"""The location and contents of every output. The table in `results/README.md` is made from this file."""

from collections.abc import Sequence
from typing import NamedTuple

from molap.config.base import ConfigError
from molap.planning.figures import FIGURES
from molap.planning.tables import TABLES
from molap.storage.paths import RESULTS

PROGRAMS = {"validation": "testset", "fig_baselines": "fig_dni"}
"""Outputs that the program of another output makes → that program's output."""


class Output(NamedTuple):
    """A kind of output file: its path below `results/`, and its contents."""

    template: str
    contents: str


OUTPUTS = {
    "configuration": Output("{run}/configuration.json", "every setting of the run, defaults included"),
    "corpus": Output(
        "{run}/corpus/corpus.npz",
        "`inputs` (time, trial, channel) and `targets` (time, trial, output) of all tasks side by side, rescaled; "
        "`input_names`, `target_names`",
    ),
    "testset": Output(
        "{run}/testsets/{task}.npz",
        "`inputs`, `targets` (time, trial, channel), rescaled; `angles` (trial, 2) in radians, or `condition_…` for a "
        "task with its own conditions",
    ),
    "validation": Output(
        "{run}/validation/{task}.npz", "validation trials, used to follow learning; the same arrays as a test set"
    ),
    "primitives": Output(
        "{run}/primitives/{source}.npz",
        "each with the prefixes `inputs_` and `targets_`: `mean`, `scale` (channel), `weights` (channel, component), "
        "`low`, `high` (component); without prefix: `correlations`, `target_r2` (component)",
    ),
    "reservoir": Output(
        "{run}/networks/{block}/reservoir.npz",
        "random networks before any training: `w_in` (seed, unit, 1), `w_rec` (seed, unit, unit; row receives), "
        "`w_out` (seed, 1, unit), `seeds`; with biases also `b_rec`, `b_out`, `h0`",
    ),
    "own_network": Output(
        "{run}/networks/{block}/given/{source}.npz",
        "the user's own recurrent network: `w_rec` and, if it has any, `b_rec` (the same for every seed), `seeds`, "
        "`modules` and `module_names` if known",
    ),
    "module": Output(
        "{run}/networks/{block}/molap-{source}/module{module}.npz",
        "the same arrays as the reservoir, after pre-training modules 1 … m one after the other",
    ),
    "head": Output(
        "{run}/networks/{block}/molap-{source}/{task}.npz",
        "trained networks: `w_in` (seed, unit, channel), `w_rec` (frozen), `w_out` (seed, output, unit), `seeds`; "
        "`{task}.checkpoints.npz` in the same folder holds what was trained (checkpoint, seed, …) after `steps` 0, 1, "
        "2, 5, 10, …",
    ),
    "separate": Output(
        "{run}/networks/{block}/separate/{task}.npz",
        "networks whose weights were all trained; arrays and checkpoints as for heads",
    ),
    "sequence": Output(
        "{run}/sequences/{block}/{kind}/order{order}/{task}.npz",
        "one network for all tasks, when {task} is the last that it has learned: arrays and checkpoints as for heads, "
        "with the channels `input_names`, `output_names`; `inputs_…`, `outputs_…`, `rule_…` give the places of each "
        "task's own; with DNI also the running covariances `memory_z`, `memory_wz`, `memory_y`",
    ),
    "joint": Output(
        "{run}/sequences/{block}/{kind}/joint.npz",
        "one network trained on all tasks at once; arrays and checkpoints as for a sequence",
    ),
    "scores": Output(
        "{run}/sequences/{block}/{kind}/order{order}/scores.json",
        "one row per network seed, place in the sequence (0: untrained) and task tested: every metric on the test set",
    ),
    "evaluation": Output(
        "{run}/evaluation/{block}/{kind}/{task}.json",
        "one row per network seed: every metric on the test set",
    ),
    "learned": Output(
        "{run}/learned/{block}/{kind}.json",
        "one row per task, network seed and checkpoint of training: every metric on the validation trials",
    ),
    "example": Output(
        "{run}/examples/{block}/{kind}/{task}.npz",
        "for the block's first network: `outputs`, `targets` (time, trial, output) and `error` (trial, output) on some "
        "test trials, `rates` (time, unit) on the first of them, `w_rec`, `w_out`",
    ),
    "perturbation": Output(
        "{run}/perturbations/{block}/{kind}/{task}.csv",
        "one row per network seed, perturbation, strength and draw: entries or units hit, and every metric; "
        "`{task}.cells.npz` in the same folder holds the same, so that a sweep can resume",
    ),
    "lesioned": Output(
        "{run}/lesioned/{block}/{kind}/{task}.npz",
        "for the block's first network, with each kind of modular lesion: `outputs`, `targets` (…, time, trial, "
        "output) and `error` (…, trial, output) on some test trials; `perturbations`, the names of the lesions",
    ),
    "claims": Output(
        "{run}/tables/claims.csv",
        "one row per claim of the paper: verdict, the part that decides it with its effect and 95 % interval over "
        "network seeds, and the figures and tables that show it",
    ),
    "claim_parts": Output(
        "{run}/tables/claim_parts.csv",
        "one row per part of a claim: the condition that must hold, effect, interval, verdict",
    ),
    "pages": Output(
        "{run}/report/parameters.html",
        "for the report: every setting; the same folder has every table except `curves.csv` as a page "
        "(`performance.html`, …)",
    ),
    "claims_page": Output(
        "{run}/report/claims.html",
        "for the report: the verdicts, then each claim with its figures and numbers; also as Markdown in `claims.md`",
    ),
    "article": Output(
        "{run}/report/article.pdf",
        "the replication as an article: summary, methods, verdicts, every figure, networks that fail, what was not "
        "run, provenance",
    ),
    "provenance": Output(
        "{run}/report/provenance.html",
        "for the report: time and memory by stage, versions, machines and digests, taken from the records",
    ),
    "plateau": Output(
        "{run}/plateau/{block}/{task}.csv",
        "for separate networks, one row per network seed and checkpoint of training: what the states still hold at the "
        "Go signal, the gradient through the delay, saturated rates, spectral radius",
    ),
    "search_modules": Output(
        "{run}/tune/{grid}/molap-{source}/modules.npz",
        "pre-trained modules of every candidate of a grid: `w_rec` (network, unit, unit); `candidates` and `seeds` "
        "(network)",
    ),
    "search": Output(
        "{run}/tune/{grid}/{kind}/{task}.csv",
        "one row per candidate of a grid and network seed: scores on validation trials",
    ),
    "search_sequence": Output(
        "{run}/tune/{grid}/{kind}/sequence.csv",
        "one row per candidate of a grid, network seed and task: scores on validation trials at the end of the "
        "sequence, and right after the task",
    ),
    "tune_table": Output(
        "{run}/tune/tune_table.csv",
        "one row per kind, candidate and task: the candidate's fields, validation accuracy (mean and lowest over "
        "networks), number of networks, and how many of them failed (stayed below the best constant output)",
    ),
    "tune_choice": Output(
        "{run}/tune/tune_choice.csv",
        "one row per kind and candidate, and one per candidate for `all` kinds: number of networks, failures, "
        "validation accuracy, steps and rank (fewest failures, then highest accuracy to 0.1 points, then fewest steps)",
    ),
}
OUTPUTS |= {name: Output(row.template or f"{{run}}/tables/{name}.csv", row.contents) for name, row in TABLES.items()}
OUTPUTS |= {name: Output(row.template or f"{{run}}/figures/{name}.png", row.contents) for name, row in FIGURES.items()}


def path(output: str, run: str, **wildcards: object) -> str:
    """Return the path of an output, e.g. `path("head", "paper", block="s0", source="cca", task="mem_pro")`."""
    if output not in OUTPUTS:
        raise ConfigError(f"there is no output {output!r}; a row or a rule names it")
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


def baselines_run(run: str) -> str:
    """Return the run inside a run that holds the baselines for networks that learn all tasks."""
    return f"{run}/baselines"


def checkpoints_path(network: str) -> str:
    """Return the path of the checkpoints beside a network that was trained on tasks."""
    return network.removesuffix(".npz") + ".checkpoints.npz"
