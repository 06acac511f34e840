# Task training: heads on the frozen modules, and separate networks.


rule head:
    input:
        network=lambda wildcards: plan.pretrained(wildcards.run, wildcards.block, wildcards.source),
    output:
        arrays=output("head"),
        checkpoints=checkpoints_path(output("head")),
        record=record("head"),
    log:
        log_of("head"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("head"),
        runtime=minutes("head"),
    params:
        settings=settings_of("head"),
        code=code_of("head"),
    message:
        "Head of {wildcards.task} on {wildcards.source}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.head --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --output arrays={output.arrays}"
        " --output checkpoints={output.checkpoints} --log {log}"


rule separate:
    output:
        arrays=output("separate"),
        checkpoints=checkpoints_path(output("separate")),
        record=record("separate"),
    log:
        log_of("separate"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("separate"),
        runtime=minutes("separate"),
    params:
        settings=settings_of("separate"),
        code=code_of("separate"),
    message:
        "Separate network for {wildcards.task}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.separate --settings {params.settings:q} --code {params.code}"
        " --output arrays={output.arrays}"
        " --output checkpoints={output.checkpoints} --log {log}"
