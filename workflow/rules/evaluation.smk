# Evaluation of trained networks on the test sets.


def network_and_testset(wildcards):
    return {
        "network": plan.network(wildcards.run, wildcards.block, wildcards.kind, wildcards.task),
        "testset": plan.path("testset", wildcards.run, task=wildcards.task),
    }


rule evaluation:
    input:
        unpack(network_and_testset),
    output:
        rows=output("evaluation"),
        record=record("evaluation"),
    log:
        log_of("evaluation"),
    params:
        settings=settings_of("evaluation"),
        code=plan.code("evaluation"),
    resources:
        mem_mb=2000,
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
    params:
        settings=settings_of("example"),
        code=plan.code("example"),
    resources:
        mem_mb=1000,
    message:
        "Example trials of {wildcards.kind} on {wildcards.task}"
    shell:
        "python -m molap.stages.example --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --input testset={input.testset}"
        " --output arrays={output.arrays} --log {log}"
