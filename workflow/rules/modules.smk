# The number of modules and components: runs of their own, `{run}/modules/{fixed}-r{number}`, by the rules of the main
# path; here are their table and figure. Not part of `all`: `snakemake modules`.


rule modules_table:
    input:
        [
            plan.path("evaluation", modules_run(run_config.name, name), block=block, kind=kind, task=task)
            for name in module_sizes(run_config)
            for block in blocks(run_config)
            for kind in module_kinds(run_config)
            for task in run_config.tasks.names
        ],
        **{source: plan.path("primitives", run_config.name, source=source) for source in module_fits(run_config)},
    output:
        table=output("modules"),
        record=record("modules"),
    log:
        log_of("modules"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("performance"),
        runtime=minutes("performance"),
    params:
        settings=settings_of("modules"),
        code=code_of("modules"),
        fits=" ".join(
            f"--input {source}={plan.path('primitives', run_config.name, source=source)}"
            for source in module_fits(run_config)
        ),
    message:
        "Table of the number of modules"
    shell:
        "python -m molap.stages.modules --settings {params.settings:q} --code {params.code}"
        " {params.fits} --output table={output.table} --log {log}"


rule fig_modules:
    input:
        table=output("modules"),
    output:
        png=shown("fig_modules", FURTHER, "number of modules"),
        svg=output("fig_modules").replace(".png", ".svg"),
        pdf=output("fig_modules").replace(".png", ".pdf"),
        data=output("fig_modules").replace(".png", ".csv"),
        record=record("fig_modules"),
    log:
        log_of("fig_modules"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_scaling"),
        runtime=minutes("fig_scaling"),
    params:
        settings=settings_of("fig_modules"),
        code=code_of("fig_modules"),
    message:
        "Figure: the number of modules"
    shell:
        "python -m molap.stages.fig_modules --settings {params.settings:q} --code {params.code}"
        " --input table={input.table} --output png={output.png} --log {log}"
