# Networks for all tasks: learned in turn (DNI, or without protection), or jointly; and what they know when.


rule sequence:
    input:
        unpack(before_in_sequence),
    output:
        arrays=output("sequence"),
        checkpoints=checkpoints_path(output("sequence")),
        record=record("sequence"),
    log:
        log_of("sequence"),
    priority: 50  # each waits for the one before: the longest path through the graph
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("sequence"),
        runtime=minutes("sequence"),
    params:
        settings=settings_of("sequence"),
        code=code_of("sequence"),
        before=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
    message:
        "{wildcards.kind}: {wildcards.task}, order {wildcards.order}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.sequence --settings {params.settings:q} --code {params.code}"
        " {params.before} --output arrays={output.arrays}"
        " --output checkpoints={output.checkpoints} --log {log}"


rule joint:
    output:
        arrays=output("joint"),
        checkpoints=checkpoints_path(output("joint")),
        record=record("joint"),
    log:
        log_of("joint"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("joint"),
        runtime=minutes("joint"),
    params:
        settings=settings_of("joint"),
        code=code_of("joint"),
    message:
        "{wildcards.kind}: all tasks at once, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.joint --settings {params.settings:q} --code {params.code}"
        " --output arrays={output.arrays}"
        " --output checkpoints={output.checkpoints} --log {log}"


rule scores:
    input:
        unpack(sequence_and_testsets),
    output:
        rows=output("scores"),
        record=record("scores"),
    log:
        log_of("scores"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("scores"),
        runtime=minutes("scores"),
    params:
        settings=settings_of("scores"),
        code=code_of("scores"),
        files=lambda wildcards, input: [f"--input {name}={file}" for name, file in sorted(input.items())],
    message:
        "Scores of {wildcards.kind} after every task, order {wildcards.order}, seeds {wildcards.block}"
    shell:
        "python -m molap.stages.scores --settings {params.settings:q} --code {params.code}"
        " {params.files} --output rows={output.rows} --log {log}"


rule continual:
    input:
        lambda wildcards: [
            plan.path("scores", wildcards.run, block=block, kind=kind, order=order)
            for block in blocks(run_config)
            for kind in sequence_kinds(plan.runs[wildcards.run])
            for order in range(run_config.dni.orders)
        ],
    output:
        table=output("continual"),
        record=record("continual"),
    log:
        log_of("continual"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("continual"),
        runtime=minutes("continual"),
    params:
        settings=settings_of("continual"),
        code=code_of("continual"),
    message:
        "Table of accuracy after every task"
    shell:
        "python -m molap.stages.continual --settings {params.settings:q} --code {params.code}"
        " --output table={output.table} --log {log}"


rule forgetting:
    input:
        continual=output("continual"),
    output:
        table=output("forgetting"),
        record=record("forgetting"),
    log:
        log_of("forgetting"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("forgetting"),
        runtime=minutes("forgetting"),
    params:
        settings=settings_of("forgetting"),
        code=code_of("forgetting"),
    message:
        "Table of forgetting and transfer"
    shell:
        "python -m molap.stages.forgetting --settings {params.settings:q} --code {params.code}"
        " --input continual={input.continual} --output table={output.table} --log {log}"


rule fig_dni:
    input:
        continual=output("continual"),
        performance=output("performance"),
    output:
        png=shown("fig_dni", FURTHER, "learning in sequence"),
        svg=output("fig_dni").replace(".png", ".svg"),
        pdf=output("fig_dni").replace(".png", ".pdf"),
        data=[output("fig_dni").replace(".png", f"_{name}.csv") for name in ("scores", "joint")],
        record=record("fig_dni"),
    log:
        log_of("fig_dni"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("fig_dni"),
        runtime=minutes("fig_dni"),
    params:
        settings=settings_of("fig_dni"),
        code=code_of("fig_dni"),
    message:
        "Figure: learning in sequence"
    shell:
        "python -m molap.stages.fig_dni --settings {params.settings:q} --code {params.code}"
        " --input continual={input.continual} --input performance={input.performance}"
        " --output png={output.png} --log {log}"
