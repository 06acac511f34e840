# Training on tasks: heads on the frozen modules, separate networks, and one network for all tasks, which it learns in
# turn or at once.


rule head:
    input:
        unpack(inputs.of("head")),
    output:
        **trained("head"),
    log:
        log_of("head"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("head"),
    params:
        **job("head"),
    message:
        "Head of {wildcards.task} on {wildcards.source}, seeds {wildcards.block}"
    shell:
        COMMAND


rule separate:
    output:
        **trained("separate"),
    log:
        log_of("separate"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("separate"),
    params:
        **job("separate"),
    message:
        "Separate network for {wildcards.task}, seeds {wildcards.block}"
    shell:
        COMMAND


rule sequence:
    input:
        unpack(inputs.of("sequence")),
    output:
        **trained("sequence"),
    log:
        log_of("sequence"),
    priority: 50  # each waits for the one before: the longest path through the graph
    conda:
        ENVIRONMENT
    resources:
        **needs.of("sequence"),
    params:
        **job("sequence"),
    message:
        "{wildcards.kind}: {wildcards.task}, order {wildcards.order}, seeds {wildcards.block}"
    shell:
        COMMAND


rule joint:
    output:
        **trained("joint"),
    log:
        log_of("joint"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("joint"),
    params:
        **job("joint"),
    message:
        "{wildcards.kind}: all tasks at once, seeds {wildcards.block}"
    shell:
        COMMAND
