# The paper's claims: verdicts from the tables, and their page. What `snakemake --report` shows beside the figures: every
# table and setting as a page, and where all of it comes from. And the article.

PAGES = paged_tables(run_config)


rule claims_table:
    input:
        unpack(inputs.of("claims")),
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
        unpack(inputs.of("claims_page")),
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
        unpack(inputs.of("pages")),
    output:
        **{"parameters": page(output("pages"), "settings", "Provenance", "Settings")},
        **{name: page(f"{RESULTS}/{{run}}/report/{name}.html", "table", "Tables", name) for name in PAGES},
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
        unpack(inputs.of("provenance")),
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


rule article_pdf:
    input:
        unpack(inputs.of("article")),
    output:
        article=output("article"),
        record=record("article"),
    log:
        log_of("article"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("article"),
    params:
        **job("article"),
    message:
        "Article"
    shell:
        COMMAND
