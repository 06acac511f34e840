# Trials: the corpus, test sets and validation trials; the latent primitives fitted on the corpus.


rule configuration:
    output:
        json=output("configuration"),
        record=record("configuration"),
    log:
        log_of("configuration"),
    priority: 100  # the tracking attaches it to every run
    conda:
        ENVIRONMENT
    resources:
        **needs.of("configuration"),
    params:
        **job("configuration"),
    message:
        "Configuration of {wildcards.run}"
    shell:
        COMMAND


rule corpus:
    output:
        arrays=output("corpus"),
        record=record("corpus"),
    log:
        log_of("corpus"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("corpus"),
    params:
        **job("corpus"),
    message:
        "Corpus of all tasks"
    shell:
        COMMAND


rule testset:
    output:
        arrays=output("testset"),
        record=record("testset"),
    log:
        log_of("testset"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("testset"),
    params:
        **job("testset"),
    message:
        "Test set of {wildcards.task}"
    shell:
        COMMAND


rule validation:
    output:
        arrays=output("validation"),
        record=record("validation"),
    log:
        log_of("validation"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("validation"),
    params:
        **job("validation"),
    message:
        "Validation trials of {wildcards.task}"
    shell:
        COMMAND


rule primitives:
    input:
        unpack(inputs.of("primitives")),
    output:
        arrays=output("primitives"),
        record=record("primitives"),
    log:
        log_of("primitives"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("primitives"),
    params:
        **job("primitives"),
    message:
        "Latent primitives by {wildcards.source}"
    shell:
        COMMAND
