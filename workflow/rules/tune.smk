# The search for the optimiser's free choices, on validation trials and network seeds of its own.


rule tune_table:
    input:
        [
            plan.path("evaluation", f"{run_config.name}/tune/{candidate}", block=block, kind=kind, task=task)
            for candidate in plan.candidates
            for block in blocks(plan.runs[f"{run_config.name}/tune/{candidate}"])
            for kind in run_config.tune.kinds
            for task in run_config.tune.tasks
        ],
    output:
        table=output("tune_table"),
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
    message:
        "Table of the search for the optimiser"
    shell:
        "python -m molap.stages.tune_table --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"


rule fig_tune:
    input:
        table=output("tune_table"),
    output:
        png=shown("fig_tune", FURTHER, "search for the optimiser"),
        svg=output("fig_tune").replace(".png", ".svg"),
        pdf=output("fig_tune").replace(".png", ".pdf"),
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
        "Figure of the search for the optimiser"
    shell:
        "python -m molap.stages.fig_tune --settings {params.settings:q} --code {params.code}"
        " --input table={input.table} --output png={output.png} --log {log}"
