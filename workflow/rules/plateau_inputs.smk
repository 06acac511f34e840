# What the rules of `snakemake diagnose` read, and its refusal where the switch to the former protocol is missing.

SWITCHES = ", ".join(run_config.attribution.switches) or "none"
LACKING = f"attribution.switches: {FORMER!r}, which `snakemake diagnose` needs, is not among them: {SWITCHES}"
# Snakemake takes note of its targets after it has read the rules; what an input function raises fills a screen.
if "diagnose" in sys.argv and FORMER not in run_config.attribution.switches:
    raise WorkflowError(f"the configuration is refused\n{LACKING}")


def checkpoints_and_validation(wildcards):
    """The checkpoints of the separate networks of a task, and the validation trials."""
    network = plan.path("separate", wildcards.run, block=wildcards.block, task=wildcards.task)
    return {
        "checkpoints": checkpoints_path(network),
        "validation": plan.path("validation", wildcards.run, task=wildcards.task),
    }


def both_protocols(wildcards):
    """What was found in separate networks, by protocol, task and block of seeds."""
    if FORMER not in run_config.attribution.switches:
        raise WorkflowError(LACKING)
    protocols = {"now": run_config.name, "before": switch_run(run_config.name, FORMER)}
    return {
        f"{name}.{task}.{block}": plan.path("plateau", run, block=block, task=task)
        for name, run in protocols.items()
        for task in plateau_tasks(run_config)
        for block in blocks(run_config)
    }
