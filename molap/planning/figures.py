"""The figures of a run, one row each. A new figure takes a row here, a program in `molap/stages/`, and its function."""

from typing import NamedTuple

from molap.config.run import RunConfig
from molap.planning.captions import counted, over_draws, over_seeds, readings, searched
from molap.planning.contents import (
    curve_figures,
    example_kinds,
    label_pairs,
    labels,
    left_out_sets,
    lesion_task,
    lesioned_kind,
    lesions,
    modular,
    sequence_kinds,
    shown,
    sweep,
)
from molap.planning.plateau_settings import protocols
from molap.planning.rows import FURTHER, PAPER, Figure, never, tables
from molap.storage.paths import ALL_TASKS, NO_SWITCH

SCORED = ("evaluation.criterion", "evaluation.tolerance", "evaluation.window")
TRAINED = ("network.readout_init", "optimiser.decay", "optimiser.clip_norm")
PERTURBED = ("perturbations.draws", "perturbations.n_trials")
LESIONED = (*PERTURBED, "perturbations.inter_module_as")
DNI = ("dni.projection", "dni.counter", "dni.state", "dni.alpha")


def _labels(c: RunConfig, **_) -> dict:
    return {"labels": label_pairs(c)}


FIGURES = {
    "fig1c": Figure(
        "Fig 1C: weights",
        "**Weights per strategy**: in all, trained, and trained per task. (a) As printed in the paper's Table 1; (b) "
        "with its arithmetic corrected; (c) counted from the networks of this run. The scale is logarithmic, so "
        "compare the distance between MoLaP and separate networks across panels.",
        "Fig 1C: parameter counts; data in `fig1c.csv`",
        tables("table1"),
        readings=("network.n_units", "network.n_modules", "network.biases", "dni.n_units"),
        seeds=counted,
        category=PAPER,
    ),
    "fig2": Figure(
        "Fig 2: performance",
        "**Performance.** A to C: outputs correct, fixation included, by task and kind of network. The black lines "
        "show the score of the best *constant* output; a network below its line does worse than an output that never "
        "changes. D and E: {example_task} in detail, on pre-trained modules and on a random reservoir, with outputs "
        "against targets, errors, loss, units and weights. Compare pre-training (blue, green) with the random "
        "reservoir (pink).",
        "Fig 2: performance and T7; data in `fig2_*.csv`",
        lambda inputs, w: inputs.examples(w),
        lambda c, **_: {"task": c.figures.example_task, "kinds": example_kinds(c)} | shown(c, c.figures.example_task),
        readings=(*SCORED, *TRAINED),
        seeds=over_seeds,
        panels=("performance", "loss", "rates", "w_rec", "w_out", "error", "traces"),
        category=PAPER,
    ),
    "fig_dni": Figure(
        "learning in sequence",
        "**Learning in sequence.** A: accuracy on each task (column) after learning each task (row). The network has "
        "not yet learned the tasks to the right of the white line. Forgetting shows as a column that darkens "
        "downwards. B: each task right after it was learned, after all tasks, and in a network trained on all tasks at "
        "once, if there is one. The black lines show the best *constant* output.",
        "learning in sequence: accuracy on every task after every task; data in `fig_dni_*.csv`",
        tables("continual", "performance"),
        _labels,
        readings=(*SCORED, *DNI),
        seeds=over_seeds,
        panels=("scores", "joint"),
        wanted=lambda c: bool(sequence_kinds(c)),
    ),
    "fig_areas": Figure(
        "areas under the curves",
        "**Areas under the curves** of accuracy over strength, divided by the width of the curve and averaged over "
        "tasks, by perturbation and kind of network. A: as measured. B: relative to the intact network, so that a "
        "network that never learned a task does not pass for a robust one.",
        "area under the curve by perturbation and kind; data in `.csv`",
        tables("areas"),
        lambda c, **_: {"perturbations": list(sweep(c)), "labels": label_pairs(c)},
        readings=(*SCORED, *LESIONED, "perturbations.silencing"),
        seeds=over_seeds,
        wanted=lambda c: bool(sweep(c)),
    ),
    "fig_matched": Figure(
        "the same number of weights",
        "**The same number of weights.** Lesions within modules, between modules and of the whole network, plotted "
        "against the share of all recurrent weights that they hit. The same percentage hits twice as many weights "
        "between two modules as within one. Where the curves of a panel coincide, only the number of weights matters, "
        "not their place.",
        "lesions compared at the same number of weights; data in `.csv`",
        tables("robustness"),
        lambda c, **_: {
            "tasks": [lesion_task(c), ALL_TASKS],
            "perturbations": lesions(c),
            "labels": label_pairs(c),
        },
        readings=(*SCORED, *LESIONED),
        seeds=over_draws,
        wanted=lambda c: bool(lesions(c)),
    ),
    "fig3": Figure(
        "Fig 3: lesions by module",
        "**Lesions by module.** Each row shows lesions in one place: within module 1, within module 2, …, or between "
        "modules. a: accuracy against the share of weights set to zero, averaged over draws. b, c: outputs of one "
        "lesioned network against their targets. d, e: its errors by trial. The dashed line is the best *constant* "
        "output; a network below it does worse than an output that never changes.",
        "Fig 3: lesions by module; data in `fig3_*.csv`",
        lambda inputs, w: inputs.lesioned_example(w),
        lambda c, **_: {
            "task": lesion_task(c),
            "kind": lesioned_kind(c),
            "labels": label_pairs(c),
            "strength": c.perturbations.example_strength,
            **shown(c, lesion_task(c)),
        },
        readings=(*SCORED, *LESIONED),
        seeds=over_draws,
        panels=("curves", "traces", "error"),
        wanted=lambda c: bool(sweep(c) and modular(c)),
        category=PAPER,
    ),
    "fig5": Figure(
        "Fig 5: tasks left out",
        "**Tasks left out of the corpus.** A: accuracy on a task that the modules have never seen, compared with "
        "modules that have seen it, and with a random reservoir without any pre-training (diamonds). B: left out − "
        "included, for the same network seed. C: left out − random reservoir. Pre-training helps a task that it has "
        "not seen only where C is above 0.",
        "Fig 5: tasks that were left out of the corpus, and what leaving them out costs; data in `fig5_*.csv`",
        tables("generalisation", "differences"),
        _labels,
        readings=(*SCORED, "generalisation.single"),
        seeds=over_seeds,
        panels=("performance", "differences"),
        wanted=lambda c: bool(left_out_sets(c)),
        category=PAPER,
    ),
    "fig_learning": Figure(
        "sample efficiency",
        "**Sample efficiency.** Accuracy on validation trials at checkpoints of training. A: against steps; B: against "
        "the number of single-weight updates so far, pre-training included; C: task by task. The learning rate decays "
        "until the last step, so an early point does not show what shorter training would reach.",
        "accuracy while learning, against steps and against updates; data in `fig_learning_*.csv`",
        tables("learning"),
        lambda c, **_: _labels(c) | {"decay": c.optimiser.decay},
        readings=(*SCORED, "optimiser.decay", "evaluation.n_validation"),
        seeds=over_seeds,
        panels=("mean", "tasks"),
    ),
    "fig_scaling": Figure(
        "scaling with tasks",
        "**Scaling.** Trained weights and updates by number of tasks (A, C) and of units (B, D), from formulas that "
        "tests compare with real arrays. The slope is the cost of a further task.",
        "updates by number of tasks and number of units; data in `.csv`",
        tables("scaling"),
        lambda c, **_: {"n_units": c.network.n_units},
        readings=("network.n_modules", "network.biases", "heads.n_steps", "dni.n_steps"),
        seeds=counted,
    ),
    "fig_baselines": Figure(
        "learning in sequence, with its baselines",
        "**Learning in sequence, with its baselines.** A: accuracy on each task (column) after learning each task "
        "(row). The network has not yet learned the tasks to the right of the white line. Forgetting shows as a column "
        "that darkens downwards. B: each task right after it was learned, after all tasks, and in a network trained on "
        "all tasks at once. The black lines show the best *constant* output.",
        "networks that learn all tasks, compared with those of `snakemake baselines`; data in `.csv`",
        lambda inputs, w: inputs.baselines(w),
        _labels,
        readings=(*SCORED, *DNI),
        seeds=over_seeds,
        panels=("scores", "joint"),
        wanted=never,
        template="{run}/baselines/fig_baselines.png",
    ),
    "fig_modules": Figure(
        "number of modules",
        "**The number of modules**, with the size of the network held fixed and with the size of each module held "
        "fixed: accuracy, the variance of the targets that the components explain, with the paper's numbers, and "
        "updates.",
        "effect of the number of modules; data in `.csv`",
        tables(table="modules"),
        _labels,
        readings=SCORED,
        seeds=over_seeds,
        wanted=never,
        template="{run}/modules/fig_modules.png",
    ),
    "fig_plateau": Figure(
        "why training got stuck",
        "**Why separate networks used to get stuck**: networks trained as in this run (blue) and as before (orange), "
        "at checkpoints of their training, on validation trials. A: accuracy. B: share of saturated rates. C: spectral "
        "radius of W_rec. D: how far the states at the Go signal differ between trials. E: how much of the gradient of "
        "the response's error reaches the pulses. F and G: how well the pulses, and the correct response, can be "
        "decoded linearly from the states at the Go signal (T9 has two streams and needs only their sum, so neither "
        "stream alone is fully decoded). A network on the plateau has saturated units, no memory of the first pulse, "
        "and no gradient that could bring it back.",
        "why separate networks used to get stuck; data in `fig_plateau_*.csv`",
        tables(table="plateau_table"),
        lambda c, **_: {"protocols": protocols(c)},
        readings=(
            *SCORED,
            "network.readout_init",
            "separate.learning_rate",
            "separate.recurrent_rate",
            "separate.n_steps",
            "evaluation.n_validation",
        ),
        seeds=over_seeds,
        panels=("seeds", "mean"),
        wanted=never,
        template="{run}/plateau/fig_plateau.png",
    ),
    "fig_tune": Figure(
        "search for how networks are trained",
        "**The search for how networks are trained.** The best candidates for every kind of network, and for all kinds "
        "together. The best has the fewest networks that fail, then the highest mean accuracy (to 0.1 points), then "
        "the fewest steps. A network fails on a task if its accuracy stays below that of the best constant output. "
        "Bars: networks that failed; dots: mean accuracy over tasks and networks; strokes: the lowest network; rings, "
        "where tasks are learned in turn: the mean right after each task. The name of a candidate gives the initial "
        "readout, the learning rate, its factor for W_rec, clipping and steps, followed by anything that differs from "
        "the defaults. The W_rec of a random reservoir does not learn, so one of its candidates represents every "
        "factor. All scores are on validation trials, never on test trials.",
        "the search for how networks are trained; data in `.csv`",
        tables(table="tune_table", choice="tune_choice"),
        readings=(*SCORED, "evaluation.n_validation"),
        seeds=searched,
        wanted=never,
        template="{run}/tune/fig_tune.png",
    ),
    "fig_attribution": Figure(
        "effects by switched reading",
        "**How the effects behind claims change** when one reading at a time is switched to what the released code "
        "does. Green: the claim's part holds; orange: it does not; grey: undecided, or one network only. The line is "
        "the effect with nothing switched.",
        "how effects change when one reading at a time is switched; data in `.csv`",
        tables("attribution"),
        lambda c, **_: {"none": NO_SWITCH},
        wanted=never,
        template="{run}/attribution/fig_attribution.png",
    ),
    "fig_curves": Figure(
        "perturbations",
        "",
        "Fig 4, Figs S1 to S5, and `fig_relative`: accuracy against the strength of a perturbation; data in `.csv`",
        tables("robustness"),
        lambda c, figure, **_: {
            "panels": [[list(panel) for panel in row] for row in curve_figures(c)[figure]],
            "y": "relative" if figure == "fig_relative" else "accuracy",
            "labels": label_pairs(c),
        },
        readings=(*SCORED, *LESIONED, "perturbations.silencing"),
        seeds=over_draws,
        wanted=never,
        template="{run}/figures/{figure}.png",
    ),
}
"""Figures by name; one job of `fig_curves` draws each figure in `CURVES`."""


class Curves(NamedTuple):
    """A figure of accuracy against the strength of perturbations."""

    title: str
    category: str = PAPER
    over: str = "mean over tasks"
    """The tasks that its curves show, for the caption."""


CURVES = {
    "fig4": Curves("Fig 4: perturbations, mean over tasks"),
    "figS1": Curves("Fig S1: lesions by module, T1 to T4", over="for those of T1 to T4 that are perturbed"),
    "figS2": Curves("Fig S2: lesions by module, other tasks", over="for the tasks after T4"),
    "figS3": Curves("Fig S3: the whole network, T1 to T4", over="for those of T1 to T4 that are perturbed"),
    "figS4": Curves("Fig S4: the whole network, other tasks", over="for the tasks after T4"),
    "figS5": Curves("Fig S5: the whole network, two tasks", over="for the first task and that of Fig 2 D and E"),
    "fig_relative": Curves("perturbations, relative to the intact network", FURTHER),
}
CURVES_CAPTION = (
    "**Accuracy under perturbation** against its strength, {over}. Every point is a mean over random draws of the "
    "places that are hit. The dashed line is the best *constant* output; a network below it does worse than an output "
    "that never changes."
)
RELATIVE_CAPTION = (
    "**Relative to the intact network.** The curves of Fig 4, each divided by the accuracy of the same network without "
    "perturbation, so that a network that never learned a task does not pass for a robust one."
)


def wanted_figures(c: RunConfig) -> list[str]:
    """Return the figures that the default target draws in addition to `curve_figures`."""
    return [name for name, figure in FIGURES.items() if figure.wanted(c)]


def captions(c: RunConfig, with_readings: bool = True) -> dict[str, str]:
    """Return captions in reStructuredText: by figure, and by other names the remaining texts of the report."""
    task = c.figures.example_task
    found = {"run": c.name, "n_tasks": str(len(c.tasks.names)), "seeds": over_seeds(c)}
    example_task = f"{labels(c)[task]} (``{task}``)"
    for name, figure in FIGURES.items():
        found[name] = _caption(c, figure, figure.caption.replace("{example_task}", example_task), with_readings)
    for name, curves in CURVES.items():
        text = RELATIVE_CAPTION if name == "fig_relative" else CURVES_CAPTION.format(over=curves.over)
        found[name] = _caption(c, FIGURES["fig_curves"], text, with_readings)
    return found


def _caption(c: RunConfig, figure: Figure, text: str, with_readings: bool) -> str:
    parts = [text, *([readings(c, figure.readings)] if figure.readings and with_readings else [])]
    return "\n\n".join([*parts, *([figure.seeds(c)] if figure.seeds else [])])
