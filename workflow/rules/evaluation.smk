# What trained networks do: on the test sets, intact and perturbed; on validation trials, at checkpoints of training.

SCORED = {
    # rule: what it writes, message
    "evaluation": (
        "rows",
        "Evaluation of {wildcards.kind} on {wildcards.task}, seeds {wildcards.block}",
    ),
    "example": ("arrays", "Example trials of {wildcards.kind} on {wildcards.task}"),
    "scores": (
        "rows",
        "Scores of {wildcards.kind} after every task, order {wildcards.order}, seeds {wildcards.block}",
    ),
    "learned": ("rows", "Learning of {wildcards.kind}, seeds {wildcards.block}"),
    "lesioned": (
        "arrays",
        "Example trials of {wildcards.kind} on {wildcards.task}, lesioned",
    ),
    "plateau": (
        "table",
        "States and gradients of separate networks for {wildcards.task}, seeds {wildcards.block}",
    ),
}
for stage, (written, text) in SCORED.items():

    rule:
        name:
            stage
        input:
            unpack(inputs.of(stage)),
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
        unpack(inputs.of("perturbation")),
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
