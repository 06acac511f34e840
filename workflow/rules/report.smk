# What `snakemake --report` shows beside the figures: every table and setting as a page, and where all of it comes from.

PAGES = [name for name in TABLES if name != "curves"]


rule pages:
    input:
        **{name: output(name) for name in PAGES},
        configuration=output("configuration"),
    output:
        **{name: page(f"{RESULTS}/{{run}}/report/{name}.html", "table", "Tables", name) for name in PAGES},
        parameters=page(output("pages"), "settings", "Provenance", "Settings"),
        record=record("pages"),
    log:
        log_of("pages"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("pages"),
        runtime=minutes("pages"),
    params:
        settings=settings_of("pages"),
        code=code_of("pages"),
        files=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
        pages=lambda wildcards, output: [f"--output {name}={output[name]}" for name in PAGES],
    message:
        "Pages of tables and settings for the report"
    shell:
        "python -m molap.stages.pages --settings {params.settings:q} --code {params.code}"
        " {params.files} --output parameters={output.parameters} {params.pages} --log {log}"


rule provenance:
    input:
        **{name: output(name) for name in TABLES},
        **{name: output(name) for name in FIGURES},
        **{figure: output("fig_curves").replace("{figure}", figure) for figure in curve_figures(run_config)},
        configuration=output("configuration"),
    output:
        page=page(output("provenance"), "provenance", "Provenance", "Time, memory, versions, digests"),
        record=record("provenance"),
    log:
        log_of("provenance"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("provenance"),
        runtime=minutes("provenance"),
    params:
        settings=settings_of("provenance"),
        code=code_of("provenance"),
        files=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
    message:
        "Page of provenance for the report"
    shell:
        "python -m molap.stages.provenance --settings {params.settings:q} --code {params.code}"
        " {params.files} --output page={output.page} --log {log}"
