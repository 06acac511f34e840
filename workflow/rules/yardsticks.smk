# What networks that learn all tasks are measured by: a run of its own, `{run}/yardsticks`, by the rules of the main path;
# here is its figure. Not part of `all`: `snakemake yardsticks`.


rule fig_yardsticks:
    input:
        **IN_TURN,
        performance=plan.path("performance", YARDSTICKS),
    output:
        png=shown("fig_yardsticks", FURTHER, "learning in sequence, beside its yardsticks"),
        svg=output("fig_yardsticks").replace(".png", ".svg"),
        pdf=output("fig_yardsticks").replace(".png", ".pdf"),
        data=[output("fig_yardsticks").replace(".png", f"_{name}.csv") for name in ("scores", "joint")],
        record=record("fig_yardsticks"),
    log:
        log_of("fig_yardsticks"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_dni"),
        runtime=minutes("fig_dni"),
    params:
        settings=settings_of("fig_yardsticks"),
        code=code_of("fig_yardsticks", program="fig_dni"),
        files=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
    message:
        "Figure: learning in sequence, beside its yardsticks"
    shell:
        "python -m molap.stages.fig_dni --settings {params.settings:q} --code {params.code}"
        " {params.files} --output png={output.png} --log {log}"
