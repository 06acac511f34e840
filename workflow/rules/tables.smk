# Tables: records and evaluations → tidy CSV files.


rule performance:
    input:
        lambda wildcards: [
            plan.path("evaluation", wildcards.run, block=block, kind=kind, task=task)
            for block, kind, task in trained_networks(wildcards.run)
        ],
    output:
        table=output("performance"),
        record=record("performance"),
    log:
        log_of("performance"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("performance"),
        runtime=minutes("performance"),
    params:
        settings=settings_of("performance"),
        code=code_of("performance"),
    message:
        "Table of performance"
    shell:
        "python -m molap.stages.performance --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"


rule counts:
    input:
        lambda wildcards: training_records(wildcards.run, blocks(plan.runs[wildcards.run])[:1]),
    output:
        table=output("counts"),
        record=record("counts"),
    log:
        log_of("counts"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("counts"),
        runtime=minutes("counts"),
    params:
        settings=settings_of("counts"),
        code=code_of("counts"),
    message:
        "Table of weights trained"
    shell:
        "python -m molap.stages.counts --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"


rule table1:
    input:
        counts=output("counts"),
    output:
        table=output("table1"),
        record=record("table1"),
    log:
        log_of("table1"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("table1"),
        runtime=minutes("table1"),
    params:
        settings=settings_of("table1"),
        code=code_of("table1"),
    message:
        "Table 1"
    shell:
        "python -m molap.stages.table1 --settings {params.settings:q} --code {params.code}"
        " --input counts={input.counts} --output table={output.table} --log {log}"


rule components:
    input:
        [plan.path("primitives", run_config.name, source=source) for source in fitted_sources(run_config)],
    output:
        table=output("components"),
        record=record("components"),
    log:
        log_of("components"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("components"),
        runtime=minutes("components"),
    params:
        settings=settings_of("components"),
        code=code_of("components"),
        fits=" ".join(
            f"--input {source}={plan.path('primitives', run_config.name, source=source)}"
            for source in fitted_sources(run_config)
        ),
    message:
        "Table of canonical correlations and explained variance"
    shell:
        "python -m molap.stages.components --settings {params.settings:q} --code {params.code}"
        " {params.fits} --output table={output.table} --log {log}"


rule curves:
    input:
        lambda wildcards: training_records(wildcards.run, blocks(plan.runs[wildcards.run])),
    output:
        table=page(output("curves"), "curves", "Tables", "curves (CSV)"),
        record=record("curves"),
    log:
        log_of("curves"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("curves"),
        runtime=minutes("curves"),
    params:
        settings=settings_of("curves"),
        code=code_of("curves"),
    message:
        "Table of training curves"
    shell:
        "python -m molap.stages.curves --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"
