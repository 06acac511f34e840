# What the rules share: params, resources, wildcards, lists of files.
import csv
import math
import re
import sys

from snakemake.io import IOFile

TABLES = ["performance", "counts", "table1", "curves"] + ["components"] * bool(fitted_sources(run_config))
TABLES += ["continual", "forgetting"] * bool(sequence_kinds(run_config))
TABLES += ["robustness", "areas"] * bool(sweep(run_config))
SOURCES = "|".join(["cca", "pca", "none", *run_config.reservoirs.files])
FIGURES = ["fig1c", "fig2"] + ["fig_dni"] * bool(sequence_kinds(run_config))


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

    It also sees to it that a result of unknown origin is made anew where its record tells of other settings or source.
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


SNAKEMAKE_MB, SNAKEMAKE_MINUTES = 400, 1
"""What Snakemake's own two processes take beside a job, on a node of a cluster."""


def asked(measured, beside):
    """A resources function: what was measured, for every network seed of the block again, and what is beside the job.

    Doubled at every further attempt: what a profile's `retries` count.
    """

    def ask(wildcards, attempt):
        n_seeds = len(block_seeds(wildcards.block)) if "block" in wildcards.keys() else 1
        return (beside + math.ceil(measured * n_seeds)) * 2 ** (attempt - 1)

    return ask


def memory(stage):
    """Memory in MB, half as much again as the largest measured job took."""
    return asked(1.5 * float(MEASURED[stage]["memory_mb"]), SNAKEMAKE_MB)


def minutes(stage):
    """Time in minutes, four times what the largest measured job took: cores differ, and are shared."""
    return asked(4 / 60 * float(MEASURED[stage]["cpu_s"]), SNAKEMAKE_MINUTES)


# What the report's texts say of this configuration. Not in the user's own mapping, which is checked key by key.
config = config | {"captions": captions(run_config)}

PAPER, FURTHER = "Figures of the paper", "Further figures"


def shown(name, category, title):
    """Pattern of a figure's path; the report shows it under its category and title, or what these tell of wildcards."""
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


def trained_networks(run):
    """(block, kind, task) of all networks of a run."""
    c = plan.runs[run]
    return [(b, k, t) for b in blocks(c) for k in plan.collected_kinds(run) for t in c.tasks.names]


def training_records(run, some_blocks):
    """Records of all training jobs of some blocks of seeds."""
    c = plan.runs[run]
    found = [network_path(run, *network) for network in trained_networks(run) if network[0] in some_blocks]
    for block in some_blocks:
        for source in fitted_sources(c):
            for module in range(1, c.network.n_modules + 1):
                found.append(plan.path("module", run, block=block, source=source, module=module))
    return [file.removesuffix(".npz") + ".record.json" for file in dict.fromkeys(found)]


def network_before(wildcards):
    """The network of the module before; the reservoir before the first."""
    at = {"block": wildcards.block}
    if wildcards.module == "1":
        return plan.path("reservoir", wildcards.run, **at)
    at |= {"source": wildcards.source, "module": int(wildcards.module) - 1}
    return plan.path("module", wildcards.run, **at)


def network_and_testset(wildcards):
    return {
        "network": plan.network(wildcards.run, wildcards.block, wildcards.kind, wildcards.task),
        "testset": plan.path("testset", wildcards.run, task=wildcards.task),
    }


def before_in_sequence(wildcards):
    """The network after the task before. Of an unprotected network's first task, which protection would not change,
    DNI's after the same task, if there is one; else nothing before the first."""
    at = {"block": wildcards.block, "kind": wildcards.kind, "order": wildcards.order}
    order = task_order(plan.runs[wildcards.run], wildcards.order)
    index = order.index(wildcards.task)
    if index:
        return {"network": plan.path("sequence", wildcards.run, **at, task=order[index - 1])}
    protected = wildcards.kind.replace("sequential", "dni")
    if protected == wildcards.kind or protected not in {*run_config.dni.kinds, *plan.runs[wildcards.run].dni.kinds}:
        return {}
    same = plan.path("sequence", wildcards.run, **at | {"kind": protected}, task=wildcards.task)
    return {"same": same, "checkpoints": checkpoints_path(same), "record": same.replace(".npz", ".record.json")}


def sequence_and_testsets(wildcards):
    """The network after each task of a sequence, by task, and all test sets."""
    at = {"block": wildcards.block, "kind": wildcards.kind, "order": wildcards.order}
    order = task_order(plan.runs[wildcards.run], wildcards.order)
    files = {task: plan.path("sequence", wildcards.run, **at, task=task) for task in order}
    return files | {f"testset_{task}": plan.path("testset", wildcards.run, task=task) for task in order}


def trials_in_memory(c):
    """State noise is drawn for the whole test set, of which a sweep uses the first trials."""
    return c.evaluation.n_trials if c.network.state_noise else c.perturbations.n_trials


def sweep_memory(wildcards, attempt):
    """Memory in MB of a sweep of perturbed networks, which follows from its size."""
    c = plan.runs[wildcards.run]
    needed = sweep_mb(n_units(c, wildcards.kind), trials_in_memory(c))
    return (needed + SNAKEMAKE_MB) * 2 ** (attempt - 1)


def left_out_evaluations(wildcards):
    """Evaluations of every left-out task of every chain, and of all tasks with the whole corpus."""
    c = plan.runs[wildcards.run]
    found = [
        plan.path("evaluation", wildcards.run, block=block, kind=kind, task=task)
        for block in blocks(c)
        for kind in molap_kinds(c)
        for task in c.tasks.names
    ]
    for names in left_out_sets(c):
        chain = chain_run(wildcards.run, names)
        for block in blocks(c):
            for source in chain_sources(c):
                found += [plan.path("evaluation", chain, block=block, kind=f"molap-{source}", task=t) for t in names]
    return found


def switch_tables(wildcards):
    """The tables that the followed claims need, by switch and name."""
    return {
        f"{switch}.{table}": plan.path(table, switch_run(wildcards.run, switch))
        for switch in (NO_SWITCH, *run_config.attribution.switches)
        for table in followed_tables(run_config, followed_claims(run_config))
    }


def networks_and_validation(wildcards):
    """By task, the network after training on it, its checkpoints, and the validation trials."""
    found = {}
    for task in plan.runs[wildcards.run].tasks.names:
        network = network_path(wildcards.run, wildcards.block, wildcards.kind, task)
        found |= {task: network, f"checkpoints_{task}": checkpoints_path(network)}
        found[f"validation_{task}"] = plan.path("validation", wildcards.run, task=task)
    return found


YARDSTICKS = yardsticks_run(run_config.name)
IN_TURN = {
    name: plan.path("continual", run)
    for name, run in (("continual", run_config.name), ("yardsticks", YARDSTICKS))
    if sequence_kinds(plan.runs[run])
}


def yardstick_files(wildcards):
    """The tables of the yardsticks, and their figure where any network learns the tasks in turn."""
    if not plan.runs[YARDSTICKS].dni.kinds:
        raise WorkflowError("dni.yardsticks: there is none beside dni.kinds; name a kind that dni.kinds lacks")
    names = ["performance"] + ["continual", "forgetting"] * ("yardsticks" in IN_TURN)
    return [plan.path(name, YARDSTICKS) for name in names] + (figure_files("fig_yardsticks") if IN_TURN else [])
