# Perturbations of trained networks: one sweep per network and task, tables, and their figures.

FIGURES += ["fig_areas"] * bool(sweep(run_config)) + ["fig_matched"] * bool(lesions(run_config))
FIGURES += ["fig3"] * bool(sweep(run_config) and modular(run_config))


rule perturbation:
    input:
        unpack(network_and_testset),
    output:
        table=output("perturbation"),
        record=record("perturbation"),
    log:
        log_of("perturbation"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=sweep_memory,
        runtime=minutes("perturbation"),
    params:
        settings=settings_of("perturbation"),
        code=code_of("perturbation"),
    message:
        "Perturbations of {wildcards.kind} on {wildcards.task}, seeds {wildcards.block}"
    shell:
        "MOLAP_MEMORY_MB={resources.mem_mb}"
        " python -m molap.stages.perturbation --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --input testset={input.testset}"
        " --output table={output.table} --log {log}"


rule lesioned:
    input:
        unpack(network_and_testset),
    output:
        arrays=output("lesioned"),
        record=record("lesioned"),
    log:
        log_of("lesioned"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("lesioned"),
        runtime=minutes("lesioned"),
    params:
        settings=settings_of("lesioned"),
        code=code_of("lesioned"),
    message:
        "Example trials of {wildcards.kind} on {wildcards.task}, lesioned"
    shell:
        "python -m molap.stages.lesioned --settings {params.settings:q} --code {params.code}"
        " --input network={input.network} --input testset={input.testset}"
        " --output arrays={output.arrays} --log {log}"


rule robustness:
    input:
        lambda wildcards: [
            plan.path("perturbation", wildcards.run, block=block, kind=kind, task=task)
            for block in blocks(plan.runs[wildcards.run])
            for kind in perturbed_kinds(plan.runs[wildcards.run])
            for task in perturbed_tasks(plan.runs[wildcards.run])
        ],
    output:
        table=output("robustness"),
        record=record("robustness"),
    log:
        log_of("robustness"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("robustness"),
        runtime=minutes("robustness"),
    params:
        settings=settings_of("robustness"),
        code=code_of("robustness"),
    message:
        "Table of performance under perturbations"
    shell:
        "python -m molap.stages.robustness --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"


rule areas:
    input:
        robustness=output("robustness"),
    output:
        table=output("areas"),
        record=record("areas"),
    log:
        log_of("areas"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("areas"),
        runtime=minutes("areas"),
    params:
        settings=settings_of("areas"),
        code=code_of("areas"),
    message:
        "Table of areas under the curves"
    shell:
        "python -m molap.stages.areas --settings {params.settings:q} --code {params.code}"
        " --input robustness={input.robustness} --output table={output.table} --log {log}"


rule fig3:
    input:
        robustness=output("robustness"),
        example=lambda wildcards: plan.path(
            "lesioned",
            wildcards.run,
            block=blocks(run_config)[0],
            kind=lesioned_kind(run_config),
            task=lesion_task(run_config),
        ),
    output:
        png=shown("fig3", PAPER, "Fig 3: lesions by module"),
        svg=output("fig3").replace(".png", ".svg"),
        pdf=output("fig3").replace(".png", ".pdf"),
        data=[output("fig3").replace(".png", f"_{panel}.csv") for panel in ("curves", "traces", "error")],
        record=record("fig3"),
    log:
        log_of("fig3"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig3"),
        runtime=minutes("fig3"),
    params:
        settings=settings_of("fig3"),
        code=code_of("fig3"),
    message:
        "Fig 3: lesions by module"
    shell:
        "python -m molap.stages.fig3 --settings {params.settings:q} --code {params.code}"
        " --input robustness={input.robustness} --input example={input.example}"
        " --output png={output.png} --log {log}"


rule fig_curves:
    input:
        robustness=output("robustness"),
    output:
        png=shown("fig_curves", curve_category, curve_title),
        svg=output("fig_curves").replace(".png", ".svg"),
        pdf=output("fig_curves").replace(".png", ".pdf"),
        data=output("fig_curves").replace(".png", ".csv"),
        record=record("fig_curves"),
    log:
        log_of("fig_curves"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_curves"),
        runtime=minutes("fig_curves"),
    params:
        settings=settings_of("fig_curves"),
        code=code_of("fig_curves"),
    message:
        "Figure of perturbations: {wildcards.figure}"
    shell:
        "python -m molap.stages.fig_curves --settings {params.settings:q} --code {params.code}"
        " --input robustness={input.robustness} --output png={output.png} --log {log}"


rule fig_matched:
    input:
        robustness=output("robustness"),
    output:
        png=shown("fig_matched", FURTHER, "the same number of weights"),
        svg=output("fig_matched").replace(".png", ".svg"),
        pdf=output("fig_matched").replace(".png", ".pdf"),
        data=output("fig_matched").replace(".png", ".csv"),
        record=record("fig_matched"),
    log:
        log_of("fig_matched"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_matched"),
        runtime=minutes("fig_matched"),
    params:
        settings=settings_of("fig_matched"),
        code=code_of("fig_matched"),
    message:
        "Figure: lesions of the same number of weights"
    shell:
        "python -m molap.stages.fig_matched --settings {params.settings:q} --code {params.code}"
        " --input robustness={input.robustness} --output png={output.png} --log {log}"


rule fig_areas:
    input:
        areas=output("areas"),
    output:
        png=shown("fig_areas", FURTHER, "areas under the curves"),
        svg=output("fig_areas").replace(".png", ".svg"),
        pdf=output("fig_areas").replace(".png", ".pdf"),
        data=output("fig_areas").replace(".png", ".csv"),
        record=record("fig_areas"),
    log:
        log_of("fig_areas"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_areas"),
        runtime=minutes("fig_areas"),
    params:
        settings=settings_of("fig_areas"),
        code=code_of("fig_areas"),
    message:
        "Figure: areas under the curves"
    shell:
        "python -m molap.stages.fig_areas --settings {params.settings:q} --code {params.code}"
        " --input areas={input.areas} --output png={output.png} --log {log}"
