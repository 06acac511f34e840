# Figures: tables → PNG, SVG and PDF, with the data beside each.

DRAWN = {
    # rule: what it reads, category and title in the report, panels with data of their own
    "fig1c": (inputs.tables("table1"), PAPER, "Fig 1C: weights", ()),
    "fig2": (
        inputs.examples,
        PAPER,
        "Fig 2: performance",
        ("performance", "loss", "rates", "w_rec", "w_out", "error", "traces"),
    ),
    "fig3": (inputs.lesioned_example, PAPER, "Fig 3: lesions by module", ("curves", "traces", "error")),
    "fig5": (
        inputs.tables("generalisation", "differences"),
        PAPER,
        "Fig 5: tasks left out",
        ("performance", "differences"),
    ),
    "fig_curves": (inputs.tables("robustness"), curve_category, curve_title, ()),
    "fig_matched": (inputs.tables("robustness"), FURTHER, "the same number of weights", ()),
    "fig_areas": (inputs.tables("areas"), FURTHER, "areas under the curves", ()),
    "fig_dni": (
        inputs.tables("continual", "performance"),
        FURTHER,
        "learning in sequence",
        ("scores", "joint"),
    ),
    "fig_yardsticks": (inputs.yardsticks, FURTHER, "learning in sequence, beside its yardsticks", ("scores", "joint")),
    "fig_learning": (inputs.tables("learning"), FURTHER, "sample efficiency", ("mean", "tasks")),
    "fig_scaling": (inputs.tables("scaling"), FURTHER, "scaling with tasks", ()),
    "fig_modules": (inputs.tables(table="modules"), FURTHER, "number of modules", ()),
    "fig_plateau": (inputs.tables(table="plateau_table"), FURTHER, "why training got stuck", ("seeds", "mean")),
    "fig_tune": (
        inputs.tables(table="tune_table", choice="tune_choice"),
        FURTHER,
        "search for how networks are trained",
        (),
    ),
    "fig_attribution": (inputs.tables("attribution"), FURTHER, "effects by switched reading", ()),
}
for figure, (reads, category, title, panels) in DRAWN.items():

    rule:
        name:
            figure
        input:
            unpack(reads),
        output:
            **drawn(figure, category, title, panels),
        log:
            log_of(figure),
        conda:
            ENVIRONMENT
        resources:
            **needs.of(figure),
        params:
            **job(figure),
        message:
            title if isinstance(title, str) else "Figure of perturbations: {wildcards.figure}"
        shell:
            COMMAND
