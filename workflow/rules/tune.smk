# The search for what the text leaves open about training, on validation trials and network seeds of its own.


def searched(wildcards):
    """Validation trials of the task, and the pre-trained modules of the same grid where the kind has any."""
    found = {"validation": plan.path("validation", wildcards.run, task=wildcards.task)}
    source = wildcards.kind.removeprefix("molap-")
    if source in FITTED:
        found["modules"] = plan.path("search_modules", wildcards.run, grid=wildcards.grid, source=source)
    return found


def validation_of_search(wildcards):
    """Validation trials of every task that the search for DNI teaches in turn."""
    return {f"validation_{task}": plan.path("validation", wildcards.run, task=task) for task in run_config.tune.tasks}


def search_tables(c):
    """The tables of every grid and kind, and of every task that is not learned in turn."""
    found = []
    for kind in c.tune.kinds:
        for grid in grids(c):
            if kind.partition("-")[0] in IN_SEQUENCE:
                found.append(plan.path("search_sequence", c.name, grid=grid, kind=kind))
            else:
                found += [plan.path("search", c.name, grid=grid, kind=kind, task=task) for task in c.tune.tasks]
    return found


PRESET = type(run_config)()
SEARCHED_AS = {
    "search_modules": ("module", PRESET.pretraining),
    "molap": ("head", PRESET.heads),
    "separate": ("separate", PRESET.separate),
    "search_sequence": ("sequence", PRESET.dni),
}
"""The stage that trains one network as a search trains many, and the phase with which it was measured."""

NETWORK_MB = 5
"""What a network of a search takes beside the job: with DNI, where it remembers covariances; others take 1 MB."""


def of_search(stage):
    """Resources functions of a stage of the search: memory in MB and time in minutes.

    From the measured job that trains one such network, as for other stages, with the time of each network in proportion
    to its steps and trials. On a GPU it takes far less, with `--set-resources` for instance.
    """

    def size(wildcards):
        s = json.loads(plan.settings(stage, **wildcards))
        measured, phase = SEARCHED_AS[stage if stage in SEARCHED_AS else s["kind"].partition("-")[0]]
        repeats = s["n_modules"] if stage == "search_modules" else len(s.get("tasks", (stage,)))
        trials = sum(candidate["n_steps"] * candidate["batch_size"] for candidate in s["candidates"])
        runs = len(s["seeds"]) * repeats * trials / (phase.n_steps * phase.batch_size)
        return MEASURED[measured], len(s["seeds"]) * len(s["candidates"]), runs

    def searching_memory(wildcards, attempt):
        measured, n_networks, _ = size(wildcards)
        needed = 1.5 * (float(measured["memory_mb"]) + NETWORK_MB * n_networks)
        return (SNAKEMAKE_MB + math.ceil(needed)) * 2 ** (attempt - 1)

    def searching_minutes(wildcards, attempt):
        measured, _, runs = size(wildcards)
        return (SNAKEMAKE_MINUTES + math.ceil(4 / 60 * float(measured["cpu_s"]) * max(1, runs))) * 2 ** (attempt - 1)

    return {"mem_mb": searching_memory, "runtime": searching_minutes}


rule search_modules:
    input:
        primitives=lambda wildcards: plan.path("primitives", wildcards.run, source=wildcards.source),
    output:
        arrays=output("search_modules"),
        record=record("search_modules"),
    log:
        log_of("search_modules"),
    conda:
        "../../envs/conda.yaml"
    resources:
        **of_search("search_modules"),
    params:
        settings=settings_of("search_modules"),
        code=code_of("search_modules"),
    message:
        "Search: modules of {wildcards.source}, {wildcards.grid}"
    shell:
        "python -m molap.stages.search_modules --settings {params.settings:q} --code {params.code}"
        " --input primitives={input.primitives} --output arrays={output.arrays} --log {log}"


rule search:
    input:
        unpack(searched),
    output:
        table=output("search"),
        record=record("search"),
    log:
        log_of("search"),
    wildcard_constraints:
        kind=f"separate|molap-({SOURCES})",
    conda:
        "../../envs/conda.yaml"
    resources:
        **of_search("search"),
    params:
        settings=settings_of("search"),
        code=code_of("search"),
        inputs=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
    message:
        "Search: {wildcards.kind}, {wildcards.task}, {wildcards.grid}"
    shell:
        "python -m molap.stages.search --settings {params.settings:q} --code {params.code}"
        " {params.inputs} --output table={output.table} --log {log}"


rule search_sequence:
    input:
        unpack(validation_of_search),
    output:
        table=output("search_sequence"),
        record=record("search_sequence"),
    log:
        log_of("search_sequence"),
    wildcard_constraints:
        kind="dni-(no)?rule",
    conda:
        "../../envs/conda.yaml"
    resources:
        **of_search("search_sequence"),
    params:
        settings=settings_of("search_sequence"),
        code=code_of("search_sequence"),
        inputs=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
    message:
        "Search: {wildcards.kind}, {wildcards.grid}"
    shell:
        "python -m molap.stages.search_sequence --settings {params.settings:q} --code {params.code}"
        " {params.inputs} --output table={output.table} --log {log}"


rule tune_table:
    input:
        tables=search_tables(run_config),
    output:
        table=output("tune_table"),
        choice=output("tune_choice"),
        record=record("tune_table"),
    log:
        log_of("tune_table"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("performance"),
        runtime=minutes("performance"),
    params:
        settings=settings_of("tune_table"),
        code=code_of("tune_table"),
        inputs=lambda wildcards, input: [f"--input table{i}={file}" for i, file in enumerate(input.tables)],
    message:
        "Table of the search for how networks are trained"
    shell:
        "python -m molap.stages.tune_table --settings {params.settings:q} --code {params.code}"
        " {params.inputs} --output table={output.table} --output choice={output.choice} --log {log}"


rule fig_tune:
    input:
        table=output("tune_table"),
        choice=output("tune_choice"),
    output:
        png=shown("fig_tune", FURTHER, "search for how networks are trained"),
        svg=output("fig_tune").replace(".png", ".svg"),
        pdf=output("fig_tune").replace(".png", ".pdf"),
        data=output("fig_tune").replace(".png", ".csv"),
        record=record("fig_tune"),
    log:
        log_of("fig_tune"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_scaling"),
        runtime=minutes("fig_scaling"),
    params:
        settings=settings_of("fig_tune"),
        code=code_of("fig_tune"),
    message:
        "Figure of the search for how networks are trained"
    shell:
        "python -m molap.stages.fig_tune --settings {params.settings:q} --code {params.code}"
        " --input table={input.table} --input choice={input.choice} --output png={output.png} --log {log}"
