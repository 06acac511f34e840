# Tables: what networks did → tidy CSV files.

COLLECTED = {
    # rule: stage, what it reads, message
    "performance": ("performance", inputs.evaluations, "Table of performance"),
    "counts": ("counts", inputs.records_of_a_block, "Table of weights trained"),
    "table1": ("table1", inputs.tables("counts"), "Table 1"),
    "components": ("components", inputs.fits, "Table of canonical correlations and explained variance"),
    "continual": ("continual", inputs.scores, "Table of accuracy after every task"),
    "forgetting": ("forgetting", inputs.tables("continual"), "Table of forgetting and transfer"),
    "robustness": ("robustness", inputs.sweeps, "Table of performance under perturbations"),
    "areas": ("areas", inputs.tables("robustness"), "Table of areas under the curves"),
    "generalisation": ("generalisation", inputs.left_out_evaluations, "Table of generalisation"),
    "differences": ("differences", inputs.tables("generalisation"), "Table of left out less included"),
    "learning": ("learning", inputs.learned, "Table of accuracy while learning"),
    "scaling": ("scaling", inputs.tables(), "Table of weights and updates by number of tasks and units"),
    "modules_table": ("modules", inputs.numbers_of_modules, "Table of the number of modules"),
    "plateau_table": (
        "plateau_table",
        inputs.both_protocols,
        "Table of what keeps separate networks on a plateau",
    ),
    "attribution_table": (
        "attribution",
        inputs.switch_tables,
        "Effects of claims with one reading switched at a time",
    ),
}
for table, (stage, reads, text) in COLLECTED.items():

    rule:
        name:
            table
        input:
            unpack(reads),
        output:
            table=output(stage),
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


rule curves:
    input:
        unpack(inputs.records),
    output:
        table=page(output("curves"), "curves", "Tables", "curves (CSV)"),
        record=record("curves"),
    log:
        log_of("curves"),
    conda:
        ENVIRONMENT
    resources:
        **needs.of("curves"),
    params:
        **job("curves"),
    message:
        "Table of training curves"
    shell:
        COMMAND


rule tune_table:
    input:
        unpack(inputs.search_tables),
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
