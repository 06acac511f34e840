# What the rules of `snakemake tune` read, and the resources that they ask for.


def searched(wildcards):
    """Validation trials of the task, and the pre-trained modules of the same grid where the kind has any."""
    found = {"validation": plan.path("validation", wildcards.run, task=wildcards.task)}
    source = wildcards.kind.removeprefix("molap-")
    if source in FITTED:
        found["modules"] = plan.path("search_modules", wildcards.run, grid=wildcards.grid, source=source)
    return found


def validation_of_search(wildcards):
    """Validation trials of every task that the search for DNI teaches in turn."""
    return {f"validation_{task}": plan.path("validation", wildcards.run, task=task) for task in run_config.tune.tasks}


def search_tables(c):
    """The tables of every grid and kind, and of every task that is not learned in turn."""
    found = []
    for kind in c.tune.kinds:
        for grid in grids(c):
            if kind.partition("-")[0] in IN_SEQUENCE:
                found.append(plan.path("search_sequence", c.name, grid=grid, kind=kind))
            else:
                found += [plan.path("search", c.name, grid=grid, kind=kind, task=task) for task in c.tune.tasks]
    return found


PRESET = type(run_config)()
SEARCHED_AS = {
    "search_modules": ("module", PRESET.pretraining),
    "molap": ("head", PRESET.heads),
    "separate": ("separate", PRESET.separate),
    "search_sequence": ("sequence", PRESET.dni),
}
"""The stage that trains one network as a search trains many, and the phase with which it was measured."""

NETWORK_MB = 5
"""What a network of a search takes beside the job: with DNI, where it remembers covariances; others take 1 MB."""


def of_search(stage):
    """Resources functions of a stage of the search: memory in MB and time in minutes.

    From the measured job that trains one such network, as for other stages, with the time of each network in proportion
    to its steps and trials. On a GPU it takes far less, with `--set-resources` for instance.
    """

    def size(wildcards):
        s = json.loads(plan.settings(stage, **wildcards))
        measured, phase = SEARCHED_AS[stage if stage in SEARCHED_AS else s["kind"].partition("-")[0]]
        repeats = s["n_modules"] if stage == "search_modules" else len(s.get("tasks", (stage,)))
        trials = sum(candidate["n_steps"] * candidate["batch_size"] for candidate in s["candidates"])
        runs = len(s["seeds"]) * repeats * trials / (phase.n_steps * phase.batch_size)
        return MEASURED[measured], len(s["seeds"]) * len(s["candidates"]), runs

    def searching_memory(wildcards, attempt):
        measured, n_networks, _ = size(wildcards)
        needed = 1.5 * (float(measured["memory_mb"]) + NETWORK_MB * n_networks)
        return (SNAKEMAKE_MB + math.ceil(needed)) * 2 ** (attempt - 1)

    def searching_minutes(wildcards, attempt):
        measured, _, runs = size(wildcards)
        return (SNAKEMAKE_MINUTES + math.ceil(4 / 60 * float(measured["cpu_s"]) * max(1, runs))) * 2 ** (attempt - 1)

    return {"mem_mb": searching_memory, "runtime": searching_minutes}
