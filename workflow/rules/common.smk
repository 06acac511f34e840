# What the rules share: which tables and figures there are, names, params, and the outputs of a kind of rule.
import csv
import math
import re
import shlex
import sys

from snakemake.io import IOFile

SOURCES = "|".join(["cca", "pca", "none", *run_config.reservoirs.files])
CLAIMS = ["claims", "claim_parts", "claims_page"]
# Tables whose rules have a longer name, since a target has theirs.
RULES = {"modules": "modules_table", "attribution": "attribution_table"}
ENVIRONMENT = "../../envs/conda.yaml"
COMMAND = (
    "python -m molap.stages.{params.program} --settings {params.settings:q} --code {params.code}"
    " {params.files:q} --log {log}"
)


# Unbuffered, as many images set it, a line and its end are two writes: lines of jobs that fail at once would join.
JOB_ENVIRONMENT = "export PYTHONUNBUFFERED="
# Jobs run with the Python that runs Snakemake, also where its environment is not activated.
if not workflow.deployment_settings.deployment_method:
    JOB_ENVIRONMENT += f' PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
JOB_ENVIRONMENT = JOB_ENVIRONMENT.replace("{", "{{").replace("}", "}}") + "; "  # a prefix is a format
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


TOUCHED = []  # the first output that is touched though its record says otherwise


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
        if workflow.touch and not TOUCHED and is_foreign(file, None, plan.settings(stage, **wildcards), code):
            TOUCHED.append(file)
            logger.warning(touched(file))
        return code

    return digest


with open(workflow.source_path("../resources.csv")) as measured:
    MEASURED = {row["stage"]: row for row in csv.DictReader(measured)}
if workflow.is_main_process:
    SEQUENCES = len(blocks(run_config)) * len(sequence_kinds(run_config)) * run_config.dni.orders
    expect(expected_seconds(run_config, MEASURED), {"sequence": (len(run_config.tasks.names), max(SEQUENCES, 1))})
needs = Needs(plan, MEASURED)


def files_of(wildcards, input, output):
    """A params function: the words of a command that name its files."""
    return file_words(dict(input.items()), dict(output.items()))


def job(stage):
    """The params of a rule."""
    program = PROGRAMS.get(stage, stage)
    return {"program": program, "settings": settings_of(stage), "code": code_of(stage, program), "files": files_of}


def trained(stage):
    """The outputs of a rule that trains."""
    return {"arrays": output(stage), "checkpoints": checkpoints_path(output(stage)), "record": record(stage)}


def drawn(name, row):
    """The outputs of a rule that draws."""
    stem = output(name).removesuffix(".png")
    category, labels = row.category, {"figure": row.title}
    if name == "fig_curves":
        category, labels = lambda w: CURVES[w.figure].category, lambda w: {"figure": CURVES[w.figure].title}
    caption = "../report/figure.rst"
    files = {"png": report(output(name), caption=caption, category=category, labels=labels)}
    files |= {ending: f"{stem}.{ending}" for ending in ("svg", "pdf")}
    data = {f"data_{panel}": f"{stem}_{panel}.csv" for panel in row.panels} or {"data": f"{stem}.csv"}
    return files | data | {"record": record(name)}


# What the report's texts say about this configuration. Not in the user's own mapping, which is checked key by key.
config = config | {"captions": captions(run_config)}


def page(path, caption, category, title):
    """Pattern of the path of a page of the report."""
    return report(path, caption=f"../report/{caption}.rst", category=category, labels={"page": title})


def figure_files(name, **wildcards):
    png = plan.path(name, run_config.name, **wildcards)
    return [png.removesuffix("png") + ending for ending in ("png", "svg", "pdf")]


def baseline_files(wildcards):
    """The tables of the baselines, and their figure where any network learns the tasks in turn."""
    run = baselines_run(run_config.name)
    if not plan.runs[run].dni.kinds:
        raise WorkflowError("dni.baselines: there is none beside dni.kinds; name a kind that dni.kinds lacks")
    names = ["performance"] + ["continual", "forgetting"] * bool(sequence_kinds(plan.runs[run]))
    return [plan.path(name, run) for name in names] + (figure_files("fig_baselines") if inputs.in_turn() else [])
