# Sample efficiency: accuracy at checkpoints of training, by steps and by updates; how counts grow with tasks and units.

TABLES += ["learning", "scaling"]
FIGURES += ["fig_learning", "fig_scaling"]


rule validation:
    output:
        arrays=output("validation"),
        record=record("validation"),
    log:
        log_of("validation"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("testset"),
        runtime=minutes("testset"),
    params:
        settings=settings_of("validation"),
        code=code_of("validation", program="testset"),
    message:
        "Validation trials of {wildcards.task}"
    shell:
        "python -m molap.stages.testset --settings {params.settings:q} --code {params.code}"
        " --output arrays={output.arrays} --log {log}"


rule learned:
    input:
        unpack(networks_and_validation),
    output:
        rows=output("learned"),
        record=record("learned"),
    log:
        log_of("learned"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("learned"),
        runtime=minutes("learned"),
    params:
        settings=settings_of("learned"),
        code=code_of("learned"),
        files=lambda wildcards, input: [f"--input {name}={file}" for name, file in sorted(input.items())],
    message:
        "Learning of {wildcards.kind}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.learned --settings {params.settings:q} --code {params.code}"
        " {params.files} --output rows={output.rows} --log {log}"


rule learning:
    input:
        [
            plan.path("learned", run_config.name, block=block, kind=kind)
            for block in blocks(run_config)
            for kind in kinds(run_config)
        ],
        counts=plan.path("counts", run_config.name),
    output:
        table=output("learning"),
        record=record("learning"),
    log:
        log_of("learning"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("learning"),
        runtime=minutes("learning"),
    params:
        settings=settings_of("learning"),
        code=code_of("learning"),
    message:
        "Table of accuracy while learning"
    shell:
        "python -m molap.stages.learning --settings {params.settings:q} --code {params.code}"
        " --input counts={input.counts} --output table={output.table} --log {log}"


rule scaling:
    output:
        table=output("scaling"),
        record=record("scaling"),
    log:
        log_of("scaling"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("scaling"),
        runtime=minutes("scaling"),
    params:
        settings=settings_of("scaling"),
        code=code_of("scaling"),
    message:
        "Table of weights and updates by number of tasks and units"
    shell:
        "python -m molap.stages.scaling --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"


rule fig_learning:
    input:
        learning=output("learning"),
    output:
        png=shown("fig_learning", FURTHER, "sample efficiency"),
        svg=output("fig_learning").replace(".png", ".svg"),
        pdf=output("fig_learning").replace(".png", ".pdf"),
        data=[output("fig_learning").replace(".png", f"_{name}.csv") for name in ("mean", "tasks")],
        record=record("fig_learning"),
    log:
        log_of("fig_learning"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_learning"),
        runtime=minutes("fig_learning"),
    params:
        settings=settings_of("fig_learning"),
        code=code_of("fig_learning"),
    message:
        "Figure: accuracy while learning"
    shell:
        "python -m molap.stages.fig_learning --settings {params.settings:q} --code {params.code}"
        " --input learning={input.learning} --output png={output.png} --log {log}"


rule fig_scaling:
    input:
        scaling=output("scaling"),
    output:
        png=shown("fig_scaling", FURTHER, "scaling with tasks"),
        svg=output("fig_scaling").replace(".png", ".svg"),
        pdf=output("fig_scaling").replace(".png", ".pdf"),
        data=output("fig_scaling").replace(".png", ".csv"),
        record=record("fig_scaling"),
    log:
        log_of("fig_scaling"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_scaling"),
        runtime=minutes("fig_scaling"),
    params:
        settings=settings_of("fig_scaling"),
        code=code_of("fig_scaling"),
    message:
        "Figure: weights and updates by number of tasks and units"
    shell:
        "python -m molap.stages.fig_scaling --settings {params.settings:q} --code {params.code}"
        " --input scaling={input.scaling} --output png={output.png} --log {log}"
