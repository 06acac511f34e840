# Trials: the corpus, the test sets, and the latent primitives fitted on the corpus.


rule configuration:
    output:
        json=output("configuration"),
        record=record("configuration"),
    log:
        log_of("configuration"),
    priority: 100  # the tracking attaches it to every run
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("configuration"),
        runtime=minutes("configuration"),
    params:
        settings=settings_of("configuration"),
        code=code_of("configuration"),
    message:
        "Configuration of {wildcards.run}"
    shell:
        "python -m molap.stages.configuration --settings {params.settings:q} --code {params.code}"
        " --output json={output.json} --log {log}"


rule corpus:
    output:
        arrays=output("corpus"),
        record=record("corpus"),
    log:
        log_of("corpus"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("corpus"),
        runtime=minutes("corpus"),
    params:
        settings=settings_of("corpus"),
        code=code_of("corpus"),
    message:
        "Corpus of all tasks"
    shell:
        "python -m molap.stages.corpus --settings {params.settings:q} --code {params.code}"
        " --output arrays={output.arrays} --log {log}"


rule testset:
    output:
        arrays=output("testset"),
        record=record("testset"),
    log:
        log_of("testset"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("testset"),
        runtime=minutes("testset"),
    params:
        settings=settings_of("testset"),
        code=code_of("testset"),
    message:
        "Test set of {wildcards.task}"
    shell:
        "python -m molap.stages.testset --settings {params.settings:q} --code {params.code}"
        " --output arrays={output.arrays} --log {log}"


rule primitives:
    input:
        corpus=lambda wildcards: plan.path("corpus", wildcards.run),
    output:
        arrays=output("primitives"),
        record=record("primitives"),
    log:
        log_of("primitives"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("primitives"),
        runtime=minutes("primitives"),
    params:
        settings=settings_of("primitives"),
        code=code_of("primitives"),
    message:
        "Latent primitives by {wildcards.source}"
    shell:
        "python -m molap.stages.primitives --settings {params.settings:q} --code {params.code}"
        " --input corpus={input.corpus} --output arrays={output.arrays} --log {log}"
