# Generalisation: modules pre-trained on a corpus without some tasks, which are then learned. The chains are runs of
# their own, `{run}/without/{tasks}`, and use the rules of the main path; here are their tables and Fig 5.

TABLES += ["generalisation", "differences"] * bool(left_out_sets(run_config))
FIGURES += ["fig5"] * bool(left_out_sets(run_config))


rule generalisation:
    input:
        left_out_evaluations,
    output:
        table=output("generalisation"),
        record=record("generalisation"),
    log:
        log_of("generalisation"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("generalisation"),
        runtime=minutes("generalisation"),
    params:
        settings=settings_of("generalisation"),
        code=code_of("generalisation"),
    message:
        "Table of generalisation"
    shell:
        "python -m molap.stages.generalisation --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"


rule differences:
    input:
        generalisation=output("generalisation"),
    output:
        table=output("differences"),
        record=record("differences"),
    log:
        log_of("differences"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("differences"),
        runtime=minutes("differences"),
    params:
        settings=settings_of("differences"),
        code=code_of("differences"),
    message:
        "Table of left out less included"
    shell:
        "python -m molap.stages.differences --settings {params.settings:q} --code {params.code}"
        " --input generalisation={input.generalisation} --output table={output.table} --log {log}"


rule fig5:
    input:
        generalisation=output("generalisation"),
        differences=output("differences"),
    output:
        png=shown("fig5", PAPER, "Fig 5: tasks left out"),
        svg=output("fig5").replace(".png", ".svg"),
        pdf=output("fig5").replace(".png", ".pdf"),
        data=[output("fig5").replace(".png", f"_{name}.csv") for name in ("performance", "differences")],
        record=record("fig5"),
    log:
        log_of("fig5"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig5"),
        runtime=minutes("fig5"),
    params:
        settings=settings_of("fig5"),
        code=code_of("fig5"),
    message:
        "Fig 5: generalisation"
    shell:
        "python -m molap.stages.fig5 --settings {params.settings:q} --code {params.code}"
        " --input generalisation={input.generalisation} --input differences={input.differences}"
        " --output png={output.png} --log {log}"
