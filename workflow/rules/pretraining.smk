# Pre-training: the random network, then one module after the other.


rule reservoir:
    output:
        arrays=output("reservoir"),
        record=record("reservoir"),
    log:
        log_of("reservoir"),
    params:
        settings=settings_of("reservoir"),
        code=plan.code("reservoir"),
    resources:
        mem_mb=1000,
    message:
        "Random networks, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.reservoir --settings {params.settings:q} --code {params.code}"
        " --output arrays={output.arrays} --log {log}"


def network_before(wildcards):
    """The network of the module before; the reservoir before the first."""
    at = {"block": wildcards.block}
    if wildcards.module == "1":
        return plan.path("reservoir", wildcards.run, **at)
    at |= {"source": wildcards.source, "module": int(wildcards.module) - 1}
    return plan.path("module", wildcards.run, **at)


rule module:
    input:
        network=network_before,
        primitives=lambda wildcards: plan.path("primitives", wildcards.run, source=wildcards.source),
    output:
        arrays=output("module"),
        record=record("module"),
    log:
        log_of("module"),
    params:
        settings=settings_of("module"),
        code=plan.code("module"),
    resources:
        mem_mb=2000,
    message:
        "Pre-training module {wildcards.module} on {wildcards.source}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.module --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --input primitives={input.primitives}"
        " --output arrays={output.arrays} --log {log}"
