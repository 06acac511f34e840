# The workflow: configuration, rules by stage, targets. Rules take params and paths from molap/plan.py.
from pathlib import Path

from snakemake.utils import min_version

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.memory import sweep_mb
from molap.paths import OUTPUTS, RESULTS, chain_run, checkpoints_path, modules_run, network_path
from molap.plan import Plan
from molap.selection import (
    blocks,
    curve_figures,
    example_kinds,
    fitted_sources,
    kinds,
    left_out_sets,
    lesion_task,
    lesioned_kind,
    lesions,
    modular,
    molap_kinds,
    module_fits,
    module_kinds,
    module_sizes,
    n_units,
    perturbed_kinds,
    perturbed_tasks,
    sequence_kinds,
    sweep,
    task_order,
)
from molap.sources import remember
from molap.tracking.launch import Tracking

min_version("9.5")


configfile: "config/paper.yaml"


try:
    run_config = parse_config(config)
    plan = Plan(run_config)
except ConfigError as error:
    raise WorkflowError(f"the configuration is refused\n{error}") from None
tracking = Tracking(run_config.tracking)


onstart:
    remember(plan.programs)
    tracking.start()


onsuccess:
    tracking.finish()


onerror:
    tracking.finish()


include: "workflow/rules/common.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/pretraining.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/dni.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/perturbations.smk"
include: "workflow/rules/generalisation.smk"
include: "workflow/rules/learning.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/modules.smk"
include: "workflow/rules/tune.smk"


rule all:
    default_target: True
    input:
        [plan.path(name, run_config.name) for name in ("configuration", *TABLES)],
        [file for name in FIGURES for file in figure_files(name)],
        [file for figure in curve_figures(run_config) for file in figure_files("fig_curves", figure=figure)],


rule modules:
    input:
        plan.path("modules", run_config.name),
        figure_files("fig_modules"),


rule tune:
    input:
        plan.path("tune_table", run_config.name),
        figure_files("fig_tune"),


localrules:
    all,
    modules,
    tune,
