# Pre-training: the random network, then one module after the other; networks of the user's own, which have none.


rule reservoir:
    output:
        arrays=output("reservoir"),
        record=record("reservoir"),
    log:
        log_of("reservoir"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("reservoir"),
    params:
        **job("reservoir"),
    message:
        "Random networks, seeds {wildcards.block}"
    shell:
        COMMAND


rule own_network:
    input:
        # The settings hold the content's digest; the file's time says nothing more.
        file=lambda wildcards: ancient(inputs.own_file(wildcards)["file"]),
    output:
        arrays=output("own_network"),
        record=record("own_network"),
    log:
        log_of("own_network"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("own_network"),
    params:
        **job("own_network"),
    message:
        "Your own network {wildcards.source}, seeds {wildcards.block}"
    shell:
        COMMAND


rule module:
    input:
        unpack(inputs.of("module")),
    output:
        arrays=output("module"),
        record=record("module"),
    log:
        log_of("module"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("module"),
    params:
        **job("module"),
    message:
        "Pre-training module {wildcards.module} on {wildcards.source}, seeds {wildcards.block}"
    shell:
        COMMAND
