# Evaluation of trained networks on the test sets.


rule evaluation:
    input:
        unpack(network_and_testset),
    output:
        rows=output("evaluation"),
        record=record("evaluation"),
    log:
        log_of("evaluation"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("evaluation"),
        runtime=minutes("evaluation"),
    params:
        settings=settings_of("evaluation"),
        code=code_of("evaluation"),
    message:
        "Evaluation of {wildcards.kind} on {wildcards.task}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.evaluation --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --input testset={input.testset}"
        " --output rows={output.rows} --log {log}"


rule example:
    input:
        unpack(network_and_testset),
    output:
        arrays=output("example"),
        record=record("example"),
    log:
        log_of("example"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("example"),
        runtime=minutes("example"),
    params:
        settings=settings_of("example"),
        code=code_of("example"),
    message:
        "Example trials of {wildcards.kind} on {wildcards.task}"
    shell:
        "python -m molap.stages.example --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --input testset={input.testset}"
        " --output arrays={output.arrays} --log {log}"
