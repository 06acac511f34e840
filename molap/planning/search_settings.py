"""The part of a run's configuration on which the stages of the search depend, and nothing more."""

from collections.abc import Callable, Sequence

from molap.config.run import RunConfig
from molap.config.training import PhaseSettings
from molap.planning.contents import candidates, corpus_tasks, pretraining_candidates
from molap.planning.setting_parts import criterion, fields, method, primitives_of, training, without_keys
from molap.storage.paths import FITTED, block_name

REPLACED = {
    "phase": ("n_steps", "batch_size", "recurrent_rate", "readout_rate"),
    "optimiser": ("decay", "clip_norm", "batches"),
    "init": ("readout_init",),
}
"""The settings that every candidate replaces, by part of the settings."""


def _searched(c: RunConfig, phase, grid: str, kind: str, names: Sequence[str]) -> dict:
    """Return the settings of a search, without those that its candidates replace."""
    block = block_name([c.tune.first_seed + i for i in range(c.tune.networks)])
    found = training(c, phase, block, names) | {"candidates": candidates(c, grid, kind)}
    for part, replaced in REPLACED.items():
        found[part] = {name: value for name, value in found[part].items() if name not in replaced}
    return found


def _modular(c: RunConfig, by_module: bool) -> dict:
    """Return how the modular network's W_rec is drawn.

    Modules matter if each is trained, or if the weights between them are zero.
    """
    n = c.network
    return {
        "n_units": n.n_units,
        "gain": n.gain,
        "inter_module": n.inter_module,
        "n_modules": n.n_modules if by_module or n.inter_module == "zero" else 1,
    }


def _search_modules(c: RunConfig, grid: str, source: str, **_) -> dict:
    return (
        _searched(c, c.pretraining, grid, f"molap-{source}", corpus_tasks(c))
        | _modular(c, by_module=True)
        | primitives_of(c, source)
        | {"candidates": pretraining_candidates(c, grid)}
    )


def _search(c: RunConfig, grid: str, kind: str, task: str, **_) -> dict:
    separate, fitted = kind == "separate", kind.removeprefix("molap-") in FITTED
    phase = PhaseSettings(**fields(c.separate if separate else c.heads, PhaseSettings))
    network = {"n_units": c.separate_network.n_units, "gain": c.separate_network.gain}
    return (
        _searched(c, phase, grid, kind, [task])
        | (network if separate else _modular(c, by_module=False))
        | ({"pretraining_steps": c.pretraining.n_steps} if fitted else {})
        | {"kind": kind, "task": task, "criterion": criterion(c, [task])}
    )


def _search_sequence(c: RunConfig, grid: str, kind: str, **_) -> dict:
    found = _searched(c, PhaseSettings(**fields(c.dni, PhaseSettings)), grid, kind, c.tune.tasks)
    return found | {
        "init": without_keys(found["init"]),
        "n_units": c.dni.n_units,
        "gain": c.dni.gain,
        "kind": kind,
        "tasks": list(c.tune.tasks),
        "rule": kind.endswith("-rule"),
        "method": method(c, first=False),
        "criterion": criterion(c, c.tune.tasks),
    }


SEARCH_STAGES: dict[str, Callable[..., dict]] = {
    "search_modules": _search_modules,
    "search": _search,
    "search_sequence": _search_sequence,
    "tune_table": lambda c, **_: {},
}
