# The paper's claims: verdicts from the tables, and their page (`snakemake claims`; in the default run where its tables are).

JUDGED = {name: output(name) for name in CLAIM_TABLES if name in TABLES}
CLAIMS = ["claims", "claim_parts", "claims_page"]
JUDGED |= {"modules": output("modules")} if run_config.claims.modules else {}


rule claims_table:
    input:
        **JUDGED,
    output:
        table=output("claims"),
        parts=output("claim_parts"),
        record=record("claims"),
    log:
        log_of("claims"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("claims"),
        runtime=minutes("claims"),
    params:
        settings=settings_of("claims"),
        code=code_of("claims"),
        files=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
    message:
        "Verdicts on the paper's claims"
    shell:
        "python -m molap.stages.claims --settings {params.settings:q} --code {params.code}"
        " {params.files} --output table={output.table} --output parts={output.parts} --log {log}"


rule claims_page:
    input:
        **{name: output(name) for name in FIGURES},
        **({"fig_modules": output("fig_modules")} if run_config.claims.modules else {}),
        claims=output("claims"),
        parts=output("claim_parts"),
    output:
        markdown=output("claims_page").replace(".html", ".md"),
        page=page(output("claims_page"), "claims", "Claims", "The paper's claims: verdicts"),
        record=record("claims_page"),
    log:
        log_of("claims_page"),
    conda:
        "../../envs/conda.yaml"
    resources:
        mem_mb=memory("claims_page"),
        runtime=minutes("claims_page"),
    params:
        settings=settings_of("claims_page"),
        code=code_of("claims_page"),
        files=lambda wildcards, input: [f"--input {name}={file}" for name, file in input.items()],
    message:
        "Page of the verdicts"
    shell:
        "python -m molap.stages.claims_page --settings {params.settings:q} --code {params.code}"
        " {params.files} --output page={output.page} --output markdown={output.markdown} --log {log}"
