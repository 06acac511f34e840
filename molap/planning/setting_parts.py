"""Settings that several stages have in common, as parts of a run's configuration."""

from collections.abc import Sequence

from molap.config.dni import MethodSettings
from molap.config.evaluation import CriterionSettings
from molap.config.network import InitSettings
from molap.config.run import RunConfig
from molap.config.tasks import TASK_LABELS, TrialSettings
from molap.planning.contents import corpus_tasks, defining_modules, task_shape
from molap.storage.paths import block_seeds

ANTI_TASKS = frozenset({"delay_anti", "mem_anti"})
"""Tasks that `tasks.anti` affects."""


def fields(section, model) -> dict:
    """Return the part of a section that belongs to `model`, as plain values."""
    return {name: value for name, value in section.model_dump(mode="json").items() if name in model.model_fields}


def trials(c: RunConfig, names: Sequence[str]) -> dict:
    """Return how the trials of these tasks are drawn, with only those of the user's modules that define one of them."""
    found = fields(c.tasks, TrialSettings) | {"modules": defining_modules(c, names)}
    if ANTI_TASKS.isdisjoint(names) and TASK_LABELS.keys() >= {*names}:  # a user's task may read any setting
        found["anti"] = TrialSettings.model_fields["anti"].default
    return found


def training(c: RunConfig, phase, block: str, names: Sequence[str]) -> dict:
    """Return the settings on which training a block of network seeds on tasks depends."""
    return {
        "trials": trials(c, names),
        "seeds": block_seeds(block),
        "data_seed": c.seeds.data,
        "init": fields(c.network, InitSettings),
        "state_noise": c.network.state_noise,
        "phase": phase.model_dump(mode="json"),
        "optimiser": c.optimiser.model_dump(mode="json"),
    }


def primitives_of(c: RunConfig, source: str) -> dict:
    """Return the settings for the training signals of a source's modules, except for the fit itself."""
    return {
        "source": source,
        "joint": source == "pca" and c.primitives.pca == "joint",
        "tasks": corpus_tasks(c),
        "alignment": c.corpus.alignment,
    } | lengths(c)


def lengths(c: RunConfig) -> dict:
    """Return how trials of unlike lengths are put side by side, if the corpus has such."""
    unlike = len({task_shape(c, task).n_steps for task in corpus_tasks(c)}) > 1
    return {"lengths": c.corpus.lengths} if unlike else {}


def without_keys(init: dict) -> dict:
    """Leave out `keys`: networks for all tasks draw their initial weights by channel, each with its own key."""
    return {name: value for name, value in init.items() if name != "keys"}


def method(c: RunConfig, first: bool) -> dict:
    """Return the settings of DNI; for the first task, when nothing is protected, only those of the measurement."""
    found = fields(c.dni, MethodSettings)
    return {name: value for name, value in found.items() if not first or name not in ("alpha", "projection")}


def criterion(c: RunConfig, names: Sequence[str]) -> dict:
    """Return the settings that decide when a decision of these tasks is correct."""
    modules = defining_modules(c, names)
    return fields(c.evaluation, CriterionSettings) | ({"modules": modules} if modules else {})


def channels(c: RunConfig) -> dict:
    """Return where tasks come from, for stages that count channels and draw no trials."""
    return {"modules": defining_modules(c, c.tasks.names)}


def training_steps(c: RunConfig) -> dict[str, int]:
    """Return the number of steps of every training phase."""
    return {name: getattr(c, name).n_steps for name in ("pretraining", "heads", "separate", "dni")}
