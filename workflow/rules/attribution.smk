# Attribution: the claims' effects with one reading switched at a time (`snakemake attribution`). Each switch is a run inside
# the run, `{run}/switch/{name}`, which shares every stage that the switch does not touch.


rule attribution_table:
    input:
        unpack(switch_tables),
    output:
        table=output("attribution"),
        record=record("attribution"),
    log:
        log_of("attribution"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("claims"),
        runtime=minutes("claims"),
    params:
        settings=settings_of("attribution"),
        code=code_of("attribution"),
        files=lambda wildcards: [f"--input {name}={file}" for name, file in switch_tables(wildcards).items()],
    message:
        "Effects of claims with one reading switched at a time"
    shell:
        "python -m molap.stages.attribution --settings {params.settings:q} --code {params.code}"
        " {params.files} --output table={output.table} --log {log}"


rule fig_attribution:
    input:
        attribution=output("attribution"),
    output:
        png=shown("fig_attribution", FURTHER, "effects by switched reading"),
        svg=output("fig_attribution").replace(".png", ".svg"),
        pdf=output("fig_attribution").replace(".png", ".pdf"),
        data=output("fig_attribution").replace(".png", ".csv"),
        record=record("fig_attribution"),
    log:
        log_of("fig_attribution"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_areas"),
        runtime=minutes("fig_areas"),
    params:
        settings=settings_of("fig_attribution"),
        code=code_of("fig_attribution"),
    message:
        "Figure: effects by switched reading"
    shell:
        "python -m molap.stages.fig_attribution --settings {params.settings:q} --code {params.code}"
        " --input attribution={input.attribution} --output png={output.png} --log {log}"
