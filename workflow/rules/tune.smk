# The search for what the text leaves open about training, on validation trials and network seeds of its own.


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
