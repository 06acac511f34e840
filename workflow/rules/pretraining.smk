# Pre-training: the random network, then one module after the other; networks of the user's own, which have none.


rule reservoir:
    output:
        arrays=output("reservoir"),
        record=record("reservoir"),
    log:
        log_of("reservoir"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("reservoir"),
        runtime=minutes("reservoir"),
    params:
        settings=settings_of("reservoir"),
        code=code_of("reservoir"),
    message:
        "Random networks, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.reservoir --settings {params.settings:q} --code {params.code}"
        " --output arrays={output.arrays} --log {log}"


rule own_network:
    input:
        # The settings hold the content's digest; the file's time says nothing more.
        file=lambda wildcards: ancient(plan.runs[wildcards.run].reservoirs.files[wildcards.source]),
    output:
        arrays=output("own_network"),
        record=record("own_network"),
    log:
        log_of("own_network"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("reservoir"),
        runtime=minutes("reservoir"),
    params:
        settings=settings_of("own_network"),
        code=code_of("own_network"),
    message:
        "Your own network {wildcards.source}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.own_network --settings {params.settings:q} --code {params.code}"
        " --input file={input.file:q} --output arrays={output.arrays} --log {log}"


rule module:
    input:
        network=network_before,
        primitives=lambda wildcards: plan.path("primitives", wildcards.run, source=wildcards.source),
    output:
        arrays=output("module"),
        record=record("module"),
    log:
        log_of("module"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("module"),
        runtime=minutes("module"),
    params:
        settings=settings_of("module"),
        code=code_of("module"),
    message:
        "Pre-training module {wildcards.module} on {wildcards.source}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.module --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --input primitives={input.primitives}"
        " --output arrays={output.arrays} --log {log}"
