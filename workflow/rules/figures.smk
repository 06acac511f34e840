# Figures: tables → PNG, SVG and PDF, with the data beside each.


rule fig1c:
    input:
        table1=output("table1"),
    output:
        png=shown("fig1c", PAPER, "Fig 1C: weights"),
        svg=output("fig1c").replace(".png", ".svg"),
        pdf=output("fig1c").replace(".png", ".pdf"),
        data=output("fig1c").replace(".png", ".csv"),
        record=record("fig1c"),
    log:
        log_of("fig1c"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig1c"),
        runtime=minutes("fig1c"),
    params:
        settings=settings_of("fig1c"),
        code=code_of("fig1c"),
    message:
        "Fig 1C: parameter counts"
    shell:
        "python -m molap.stages.fig1c --settings {params.settings:q} --code {params.code}"
        " --input table1={input.table1} --output png={output.png} --log {log}"


rule fig2:
    input:
        performance=output("performance"),
        curves=output("curves"),
        examples=lambda wildcards: [
            plan.path(
                "example",
                wildcards.run,
                block=blocks(run_config)[0],
                kind=kind,
                task=run_config.figures.example_task,
            )
            for kind in example_kinds(run_config)
        ],
    output:
        png=shown("fig2", PAPER, "Fig 2: performance"),
        svg=output("fig2").replace(".png", ".svg"),
        pdf=output("fig2").replace(".png", ".pdf"),
        data=[
            output("fig2").replace(".png", f"_{panel}.csv")
            for panel in ("performance", "loss", "rates", "w_rec", "w_out", "error", "traces")
        ],
        record=record("fig2"),
    log:
        log_of("fig2"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig2"),
        runtime=minutes("fig2"),
    params:
        settings=settings_of("fig2"),
        code=code_of("fig2"),
        examples=lambda wildcards, input: [f"--input {Path(file).parts[-2]}={file}" for file in input.examples],
    message:
        "Fig 2: performance, and one task in detail"
    shell:
        "python -m molap.stages.fig2 --settings {params.settings:q} --code {params.code}"
        " --input performance={input.performance} --input curves={input.curves} {params.examples}"
        " --output png={output.png} --log {log}"
