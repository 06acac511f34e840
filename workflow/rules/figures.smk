# Figures: tables → PNG, SVG and PDF, with the data beside each. A row each in molap/planning/figures.py.

for figure, row in FIGURES.items():

    rule:
        name:
            figure
        input:
            unpack(inputs.of(figure)),
        output:
            **drawn(figure, row),
        log:
            log_of(figure),
        conda:
            ENVIRONMENT
        resources:
            **needs.of(figure),
        params:
            **job(figure),
        message:
            "Figure of perturbations: {wildcards.figure}" if figure == "fig_curves" else row.title
        shell:
            COMMAND
