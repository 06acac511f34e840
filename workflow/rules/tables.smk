# Tables: what networks did → tidy CSV files. A row each in molap/planning/tables.py.

for table, row in TABLES.items():

    rule:
        name:
            RULES.get(table, table)
        input:
            unpack(inputs.of(table)),
        output:
            table=output(table) if row.as_page else page(output(table), "file", "Tables", f"{table} (CSV)"),
            record=record(table),
        log:
            log_of(table),
        conda:
            ENVIRONMENT
        resources:
            **needs.of(table),
        params:
            **job(table),
        message:
            row.message
        shell:
            COMMAND


rule tune_table:
    input:
        unpack(inputs.of("tune_table")),
    output:
        table=output("tune_table"),
        choice=output("tune_choice"),
        record=record("tune_table"),
    log:
        log_of("tune_table"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("tune_table"),
    params:
        **job("tune_table"),
    message:
        "Table of the search for how networks are trained"
    shell:
        COMMAND
