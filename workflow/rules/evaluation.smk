# What trained networks do: on the test sets, intact and perturbed; on validation trials, at checkpoints of training.

SCORED = {
    # rule: what it reads, what it writes, message
    "evaluation": (
        inputs.network_and_testset,
        "rows",
        "Evaluation of {wildcards.kind} on {wildcards.task}, seeds {wildcards.block}",
    ),
    "example": (inputs.network_and_testset, "arrays", "Example trials of {wildcards.kind} on {wildcards.task}"),
    "scores": (
        inputs.sequence_and_testsets,
        "rows",
        "Scores of {wildcards.kind} after every task, order {wildcards.order}, seeds {wildcards.block}",
    ),
    "learned": (inputs.networks_and_validation, "rows", "Learning of {wildcards.kind}, seeds {wildcards.block}"),
    "lesioned": (
        inputs.network_and_testset,
        "arrays",
        "Example trials of {wildcards.kind} on {wildcards.task}, lesioned",
    ),
    "plateau": (
        inputs.checkpoints_and_validation,
        "table",
        "States and gradients of separate networks for {wildcards.task}, seeds {wildcards.block}",
    ),
}
for stage, (reads, written, text) in SCORED.items():

    rule:
        name:
            stage
        input:
            unpack(reads),
        output:
            **{written: output(stage)},
            record=record(stage),
        log:
            log_of(stage),
        conda:
            ENVIRONMENT
        resources:
            **needs.of(stage),
        params:
            **job(stage),
        message:
            text
        shell:
            COMMAND


rule perturbation:
    input:
        unpack(inputs.network_and_testset),
    output:
        table=output("perturbation"),
        record=record("perturbation"),
    log:
        log_of("perturbation"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of_sweep(),
    params:
        **job("perturbation"),
    message:
        "Perturbations of {wildcards.kind} on {wildcards.task}, seeds {wildcards.block}"
    shell:
        "MOLAP_MEMORY_MB={resources.mem_mb} " + COMMAND
