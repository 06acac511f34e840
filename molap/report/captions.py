"""What the captions of the report say about a configuration: the readings behind a figure, and how many seeds."""

from molap.config.run import RunConfig
from molap.planning.contents import labels

SCORED = ("evaluation.criterion", "evaluation.tolerance", "evaluation.window")
TRAINED = ("network.readout_init", "optimiser.decay", "optimiser.clip_norm")
PERTURBED = ("perturbations.draws", "perturbations.n_trials")
LESIONED = (*PERTURBED, "perturbations.inter_module_as")

READINGS = {
    "fig1c": ("network.n_units", "network.n_modules", "network.biases", "dni.n_units"),
    "fig2": (*SCORED, *TRAINED),
    "fig3": (*SCORED, *LESIONED),
    "fig5": (*SCORED, "generalisation.single"),
    "fig_areas": (*SCORED, *LESIONED, "perturbations.silencing"),
    "fig_curves": (*SCORED, *LESIONED, "perturbations.silencing"),
    "fig_dni": (*SCORED, "dni.projection", "dni.counter", "dni.state", "dni.alpha"),
    "fig_learning": (*SCORED, "optimiser.decay", "evaluation.n_validation"),
    "fig_matched": (*SCORED, *LESIONED),
    "fig_modules": SCORED,
    "fig_plateau": (
        *SCORED,
        "network.readout_init",
        "separate.learning_rate",
        "separate.recurrent_rate",
        "separate.n_steps",
        "evaluation.n_validation",
    ),
    "fig_scaling": ("network.n_modules", "network.biases", "heads.n_steps", "dni.n_steps"),
    "fig_tune": (*SCORED, "evaluation.n_validation"),
    "fig_yardsticks": (*SCORED, "dni.projection", "dni.counter", "dni.state", "dni.alpha"),
}
"""Configuration keys that a reader of a figure must know."""

COUNTED = ("fig1c", "fig_scaling")
"""Figures of numbers that do not depend on seeds."""

DRAWN = ("fig3", "fig_curves", "fig_matched")
"""Figures whose bands show the draws where there is one network seed."""


def captions(c: RunConfig) -> dict[str, str]:
    """Return, by figure, the end of its caption in reStructuredText; by other names, what the texts say besides."""
    values = c.model_dump(mode="json")
    task = c.figures.example_task
    found = {"run": c.name, "n_tasks": str(len(c.tasks.names)), "seeds": _seeds("seeds", c)}
    found["example_task"] = f"{labels(c)[task]} (``{task}``)"
    for figure, keys in READINGS.items():
        found[figure] = f"Reading: {', '.join(_reading(values, key) for key in keys)}.\n\n{_seeds(figure, c)}"
    return found


def _seeds(figure: str, c: RunConfig) -> str:
    n = c.seeds.networks
    if figure in COUNTED:
        return "Counts do not depend on seeds."
    if figure == "fig_tune":
        return _searched(c)
    if n > 1:
        return f"{n} network seeds; bands and error bars, where there are any, are 95 % intervals over them."
    bands = f" Bands are standard deviations over {c.perturbations.draws} draws." if figure in DRAWN else ""
    return f"1 network seed: a description, not a test.{bands}"


def _searched(c: RunConfig) -> str:
    n, first = c.tune.networks, c.tune.first_seed
    searched, reported = range(first, first + n), range(c.seeds.first, c.seeds.first + c.seeds.networks)
    apart = max(searched.start, reported.start) >= min(searched.stop, reported.stop)
    networks = "1 network" if n == 1 else f"{n} networks"
    use = "which no result uses" if apart else "some of which results use, too"
    return f"{networks} of each kind and task for every candidate, with seeds from {first} on, {use}."


def _reading(values: dict, key: str) -> str:
    section, name = key.split(".")
    value = values[section][name]
    text = {None: "none", True: "yes", False: "no"}.get(value, value) if isinstance(value, bool | None) else value
    return f"``{key}`` {f'{text:g}' if isinstance(text, float) else text}"
