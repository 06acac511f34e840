# The paper's claims: verdicts from the tables, and their page. What `snakemake --report` shows beside the figures: every
# table and setting as a page, and where all of it comes from.

JUDGED = {name: output(name) for name in CLAIM_TABLES if name in TABLES}
JUDGED |= {"modules": output("modules")} if run_config.claims.modules else {}
PAGES = [name for name in TABLES if name != "curves"]


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
        ENVIRONMENT
    resources:
        **needs.of("claims"),
    params:
        **job("claims"),
    message:
        "Verdicts on the paper's claims"
    shell:
        COMMAND


rule claims_page:
    input:
        **{name: output(name) for name in FIGURES},
        **({"fig_modules": output("fig_modules")} if run_config.claims.modules else {}),
        claims=output("claims"),
        parts=output("claim_parts"),
    output:
        page=page(output("claims_page"), "claims", "Claims", "The paper's claims: verdicts"),
        markdown=output("claims_page").replace(".html", ".md"),
        record=record("claims_page"),
    log:
        log_of("claims_page"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("claims_page"),
    params:
        **job("claims_page"),
    message:
        "Page of the verdicts"
    shell:
        COMMAND


rule pages:
    input:
        **{name: output(name) for name in PAGES},
        configuration=output("configuration"),
    output:
        **{name: page(f"{RESULTS}/{{run}}/report/{name}.html", "table", "Tables", name) for name in PAGES},
        parameters=page(output("pages"), "settings", "Provenance", "Settings"),
        record=record("pages"),
    log:
        log_of("pages"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("pages"),
    params:
        **job("pages"),
    message:
        "Pages of tables and settings for the report"
    shell:
        COMMAND


rule provenance:
    input:
        **{name: output(name) for name in TABLES},
        **{name: output(name) for name in FIGURES},
        **{figure: output("fig_curves").replace("{figure}", figure) for figure in curve_figures(run_config)},
        configuration=output("configuration"),
    output:
        page=page(output("provenance"), "provenance", "Provenance", "Time, memory, versions, digests"),
        record=record("provenance"),
    log:
        log_of("provenance"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("provenance"),
    params:
        **job("provenance"),
    message:
        "Page of provenance for the report"
    shell:
        COMMAND
