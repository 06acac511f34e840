# Why separate networks used to get stuck (`snakemake diagnose`): their states and gradients at the checkpoints of
# training, trained as in this run and, by the attribution's switch `protocol`, as before.


rule plateau:
    input:
        unpack(checkpoints_and_validation),
    output:
        table=output("plateau"),
        record=record("plateau"),
    log:
        log_of("plateau"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("separate"),
        runtime=minutes("learned"),
    params:
        settings=settings_of("plateau"),
        code=code_of("plateau"),
    message:
        "States and gradients of separate networks for {wildcards.task}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.plateau --settings {params.settings:q} --code {params.code}"
        " --input checkpoints={input.checkpoints} --input validation={input.validation}"
        " --output table={output.table} --log {log}"


rule plateau_table:
    input:
        unpack(both_protocols),
    output:
        table=output("plateau_table"),
        record=record("plateau_table"),
    log:
        log_of("plateau_table"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("performance"),
        runtime=minutes("performance"),
    params:
        settings=settings_of("plateau_table"),
        code=code_of("plateau_table"),
        files=lambda wildcards: [f"--input {name}={file}" for name, file in both_protocols(wildcards).items()],
    message:
        "Table of what keeps separate networks on a plateau"
    shell:
        "python -m molap.stages.plateau_table --settings {params.settings:q} --code {params.code}"
        " {params.files} --output table={output.table} --log {log}"


rule fig_plateau:
    input:
        table=output("plateau_table"),
    output:
        png=shown("fig_plateau", FURTHER, "why training got stuck"),
        svg=output("fig_plateau").replace(".png", ".svg"),
        pdf=output("fig_plateau").replace(".png", ".pdf"),
        data=[output("fig_plateau").replace(".png", f"_{name}.csv") for name in ("seeds", "mean")],
        record=record("fig_plateau"),
    log:
        log_of("fig_plateau"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_learning"),
        runtime=minutes("fig_learning"),
    params:
        settings=settings_of("fig_plateau"),
        code=code_of("fig_plateau"),
    message:
        "Figure: why separate networks used to get stuck"
    shell:
        "python -m molap.stages.fig_plateau --settings {params.settings:q} --code {params.code}"
        " --input table={input.table} --output png={output.png} --log {log}"
