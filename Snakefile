# The workflow lies where the catalogue of workflows expects it; this file is what `snakemake` finds at the top.
include: "workflow/Snakefile"


rule default:
    default_target: True
    input:
        rules.all.input,
    localrule: True
