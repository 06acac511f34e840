# The search for what the text leaves open about training, on validation trials and network seeds of its own
# (`snakemake tune`).


rule search_modules:
    input:
        unpack(inputs.of("search_modules")),
    output:
        arrays=output("search_modules"),
        record=record("search_modules"),
    log:
        log_of("search_modules"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of_search("search_modules"),
    params:
        **job("search_modules"),
    message:
        "Search: modules of {wildcards.source}, {wildcards.grid}"
    shell:
        COMMAND


rule search:
    input:
        unpack(inputs.of("search")),
    output:
        table=output("search"),
        record=record("search"),
    log:
        log_of("search"),
    wildcard_constraints:
        kind=f"separate|molap-({SOURCES})",
    conda:
        ENVIRONMENT
    resources:
        **needs.of_search("search"),
    params:
        **job("search"),
    message:
        "Search: {wildcards.kind}, {wildcards.task}, {wildcards.grid}"
    shell:
        COMMAND


rule search_sequence:
    input:
        unpack(inputs.of("search_sequence")),
    output:
        table=output("search_sequence"),
        record=record("search_sequence"),
    log:
        log_of("search_sequence"),
    wildcard_constraints:
        kind="dni-(no)?rule",
    conda:
        ENVIRONMENT
    resources:
        **needs.of_search("search_sequence"),
    params:
        **job("search_sequence"),
    message:
        "Search: {wildcards.kind}, {wildcards.grid}"
    shell:
        COMMAND
