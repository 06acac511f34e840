# What the rules share: which tables and figures there are, names, params, and the outputs of a kind of rule.
import csv
import math
import re
import sys

from snakemake.io import IOFile

SOURCES = "|".join(["cca", "pca", "none", *run_config.reservoirs.files])
TABLES = ["performance", "counts", "table1", "curves"] + ["components"] * bool(fitted_sources(run_config))
TABLES += ["continual", "forgetting"] * bool(sequence_kinds(run_config))
TABLES += ["robustness", "areas"] * bool(sweep(run_config))
TABLES += ["generalisation", "differences"] * bool(left_out_sets(run_config)) + ["learning", "scaling"]
FIGURES = ["fig1c", "fig2"] + ["fig_dni"] * bool(sequence_kinds(run_config))
FIGURES += ["fig_areas"] * bool(sweep(run_config)) + ["fig_matched"] * bool(lesions(run_config))
FIGURES += ["fig3"] * bool(sweep(run_config) and modular(run_config))
FIGURES += ["fig5"] * bool(left_out_sets(run_config)) + ["fig_learning", "fig_scaling"]
CLAIMS = ["claims", "claim_parts", "claims_page"]
ENVIRONMENT = "../../envs/conda.yaml"
COMMAND = (
    "python -m molap.stages.{params.program} --settings {params.settings:q} --code {params.code}"
    " {params.files:q} --log {log}"
)


# Unbuffered, as many images set it, a line and its end are two writes: lines of jobs that fail at once would join.
JOB_ENVIRONMENT = "PYTHONUNBUFFERED= "
# Jobs run with the Python that runs Snakemake, also where its environment is not activated.
if not workflow.deployment_settings.deployment_method:
    JOB_ENVIRONMENT += f"PATH='{Path(sys.executable).parent}':\"$PATH\" "
shell.prefix(JOB_ENVIRONMENT)


RUNS = "|".join(re.escape(run) for run in sorted(plan.runs, key=len, reverse=True))
# The chains of runs with a reading switched are many, and are known by their form.
RUNS = (
    rf"{re.escape(run_config.name)}/switch/\w+/without/[^/]+|{re.escape(switch_run(run_config.name, NO_SWITCH))}|{RUNS}"
)


wildcard_constraints:
    run=RUNS,
    block=r"s\d+(-\d+)?",
    source=SOURCES,
    kind=f"separate|molap-({SOURCES})|(dni|sequential|joint)-(no)?rule",
    order=r"\d+",
    grid="|".join(grids(run_config)),
    figure="|".join(curve_figures(run_config)) or "none",
    module=r"\d+",
    task="|".join(re.escape(task) for task in {*run_config.tasks.names, *run_config.tune.tasks}),


def output(name):
    """Pattern of an output's path."""
    return f"{RESULTS}/{OUTPUTS[name].template}"


def record(name):
    """Pattern of the record beside an output."""
    return output(name).rsplit(".", 1)[0] + ".record.json"


def log_of(name):
    """Pattern of a job's log."""
    below_run = OUTPUTS[name].template.removeprefix("{run}/").rsplit(".", 1)[0]
    return f"{RESULTS}/{{run}}/logs/{below_run}.log"


def settings_of(stage):
    """A params function: all that a job depends on, as one canonical JSON text."""
    return lambda wildcards: plan.settings(stage, **wildcards)


def code_of(stage, program=None):
    """A params function: the digest of the source that a job runs.

    A result of unknown origin is made again where its record names other settings or source.
    """

    def digest(wildcards):
        code = plan.code(program or stage, stage, **wildcards)
        file = output(stage).format(**wildcards)
        noted = workflow.persistence.metadata(IOFile(file, rule=None))
        if is_foreign(file, noted and noted.get("endtime"), plan.settings(stage, **wildcards), code):
            workflow.dag.forcefiles.add(file)
        return code

    return digest


with open(workflow.source_path("../resources.csv")) as measured:
    MEASURED = {row["stage"]: row for row in csv.DictReader(measured)}
if workflow.is_main_process:
    SEQUENCES = len(blocks(run_config)) * len(sequence_kinds(run_config)) * run_config.dni.orders
    expect(expected_seconds(run_config, MEASURED), {"sequence": (len(run_config.tasks.names), max(SEQUENCES, 1))})
needs = Needs(plan, MEASURED)


BESIDE = ("record", "svg", "pdf", "data")
"""Outputs that a program derives from the path of its first one."""


def files_of(wildcards, input, output):
    """A params function: the words of a command that name its files. Lists of files are waited for, not passed."""
    read = [f"{name}={file}" for name, file in input.items() if isinstance(file, str)]
    written = [f"{name}={file}" for name, file in output.items() if name not in BESIDE]
    return [word for file in read for word in ("--input", file)] + [
        word for file in written for word in ("--output", file)
    ]


def job(stage):
    """The params of a rule."""
    program = PROGRAMS.get(stage, stage)
    return {"program": program, "settings": settings_of(stage), "code": code_of(stage, program), "files": files_of}


def trained(stage):
    """The outputs of a rule that trains."""
    return {"arrays": output(stage), "checkpoints": checkpoints_path(output(stage)), "record": record(stage)}


def drawn(stage, category, title, panels):
    """The outputs of a rule that draws."""
    stem = output(stage).removesuffix(".png")
    data = [f"{stem}_{panel}.csv" for panel in panels] or f"{stem}.csv"
    files = {"png": shown(stage, category, title), "svg": f"{stem}.svg", "pdf": f"{stem}.pdf"}
    return files | {"data": data, "record": record(stage)}


# What the report's texts say about this configuration. Not in the user's own mapping, which is checked key by key.
config = config | {"captions": captions(run_config)}

PAPER, FURTHER = "Figures of the paper", "Further figures"


def shown(name, category, title):
    """Pattern of a figure's path; the report shows it under its category and title, which may depend on wildcards."""
    labels = (lambda wildcards: {"figure": title(wildcards)}) if callable(title) else {"figure": title}
    return report(output(name), caption=f"../report/{name}.rst", category=category, labels=labels)


def page(path, caption, category, title):
    """Pattern of the path of a page of the report."""
    return report(path, caption=f"../report/{caption}.rst", category=category, labels={"page": title})


CURVES = {
    "fig4": "Fig 4: perturbations, mean over tasks",
    "figS1": "Fig S1: lesions by module, first tasks",
    "figS2": "Fig S2: lesions by module, other tasks",
    "figS3": "Fig S3: the whole network, first tasks",
    "figS4": "Fig S4: the whole network, other tasks",
    "figS5": "Fig S5: the whole network, two tasks",
    "fig_relative": "perturbations, relative to the intact network",
}


def curve_title(wildcards):
    return CURVES[wildcards.figure]


def curve_category(wildcards):
    return FURTHER if wildcards.figure == "fig_relative" else PAPER


def figure_files(name, **wildcards):
    png = plan.path(name, run_config.name, **wildcards)
    return [png.removesuffix("png") + ending for ending in ("png", "svg", "pdf")]


def yardstick_files(wildcards):
    """The tables of the yardsticks, and their figure where any network learns the tasks in turn."""
    run = yardsticks_run(run_config.name)
    if not plan.runs[run].dni.kinds:
        raise WorkflowError("dni.yardsticks: there is none beside dni.kinds; name a kind that dni.kinds lacks")
    names = ["performance"] + ["continual", "forgetting"] * bool(sequence_kinds(plan.runs[run]))
    return [plan.path(name, run) for name in names] + (figure_files("fig_yardsticks") if inputs.in_turn() else [])
