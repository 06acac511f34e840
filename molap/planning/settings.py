"""The part of a run's configuration on which each stage depends, and nothing more."""

from collections.abc import Callable, Sequence
from itertools import takewhile

from molap.claims.reading import read_claims
from molap.config.network import InitSettings
from molap.config.perturbations import PerturbationReadings
from molap.config.run import RunConfig
from molap.config.training import RecurrentPhaseSettings
from molap.planning import article
from molap.planning.contents import (
    corpus_tasks,
    modular,
    sweep,
    task_order,
)
from molap.planning.figures import FIGURES
from molap.planning.plateau_settings import plateau
from molap.planning.search_settings import SEARCH_STAGES
from molap.planning.setting_parts import (
    channels,
    criterion,
    fields,
    lengths,
    method,
    primitives_of,
    training,
    trials,
    without_keys,
)
from molap.planning.tables import TABLES, paged_tables
from molap.storage.paths import block_seeds


def _module(c: RunConfig, block: str, source: str, module: int | str, **_) -> dict:
    place = {"module": int(module), "n_modules": c.network.n_modules}
    return training(c, c.pretraining, block, corpus_tasks(c)) | primitives_of(c, source) | place


def _all_tasks_network(c: RunConfig, block: str, kind: str, n_steps: int, names: Sequence[str]) -> dict:
    """Return the settings of a network for several tasks."""
    phase = RecurrentPhaseSettings(**fields(c.dni, RecurrentPhaseSettings) | {"n_steps": n_steps})
    return training(c, phase, block, names) | {
        "init": without_keys(fields(c.network, InitSettings)),
        "rule": kind.endswith("-rule"),
        "n_units": c.dni.n_units,
        "gain": c.dni.gain,
        "recurrent_init": c.network.recurrent_init,
    }


def _sequence(c: RunConfig, block: str, kind: str, order: int | str, task: str, **_) -> dict:
    before = list(takewhile(lambda name: name != task, task_order(c, order)))
    return _all_tasks_network(c, block, kind, c.dni.n_steps, [*before, task]) | {
        "task": task,
        "before": before,
        "method": method(c, first=not before) if kind.startswith("dni") else None,
    }


def _perturbing(c: RunConfig) -> dict:
    return {
        "n_modules": c.network.n_modules,
        "readings": fields(c.perturbations, PerturbationReadings),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    }


def _own_network(c: RunConfig, block: str, source: str, **_) -> dict:
    from molap.networks.own import content_digest  # imports NumPy only if there is a file to read

    return {"source": source, "seeds": block_seeds(block), "content": content_digest(c.reservoirs.files[source])}


STAGES: dict[str, Callable[..., dict]] = {
    "configuration": lambda c, **_: c.model_dump(mode="json", exclude={"tracking"}),
    "corpus": lambda c, **_: {
        "trials": trials(c, corpus_tasks(c)),
        "tasks": corpus_tasks(c),
        "alignment": c.corpus.alignment,
        "n_trials": c.corpus.n_trials,
        "data_seed": c.seeds.data,
        **lengths(c),
    },
    "testset": lambda c, task, **_: {
        "trials": trials(c, [task]),
        "task": task,
        "n_trials": c.evaluation.n_trials,
        "stream": c.evaluation.stream,
        "data_seed": c.seeds.data,
    },
    "validation": lambda c, task, **_: {
        "trials": trials(c, [task]),
        "task": task,
        "n_trials": c.evaluation.n_validation,
        "stream": "validation",
        "data_seed": c.seeds.data,
    },
    "learned": lambda c, block, kind, **_: {
        "kind": kind,
        "tasks": list(c.tasks.names),
        "seeds": block_seeds(block),
        "criterion": criterion(c, c.tasks.names),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    },
    "primitives": lambda c, source, **_: {
        "source": source,
        "joint": source == "pca" and c.primitives.pca == "joint",
    },
    "reservoir": lambda c, block, **_: {
        "seeds": block_seeds(block),
        "n_units": c.network.n_units,
        "n_modules": c.network.n_modules if c.network.inter_module == "zero" else 1,
        "gain": c.network.gain,
        "recurrent_init": c.network.recurrent_init,
        "inter_module": c.network.inter_module,
        "init": fields(c.network, InitSettings),
    },
    "own_network": _own_network,
    "module": _module,
    "head": lambda c, block, source, task, **_: training(c, c.heads, block, [task]) | {"source": source, "task": task},
    "separate": lambda c, block, task, **_: (
        training(c, c.separate, block, [task])
        | {
            "task": task,
            "n_units": c.separate_network.n_units,
            "gain": c.separate_network.gain,
            "recurrent_init": c.network.recurrent_init,
        }
    ),
    "sequence": _sequence,
    "joint": lambda c, block, kind, **_: (
        _all_tasks_network(c, block, kind, c.dni.joint_steps, c.tasks.names) | {"tasks": list(c.tasks.names)}
    ),
    "scores": lambda c, block, kind, order, **_: {
        "trials": channels(c),
        "tasks": task_order(c, order),
        "order": int(order),
        "rule": kind.endswith("-rule"),
        "seeds": block_seeds(block),
        "n_units": c.dni.n_units,
        "gain": c.dni.gain,
        "recurrent_init": c.network.recurrent_init,
        "init": without_keys(fields(c.network, InitSettings)),
        "criterion": criterion(c, c.tasks.names),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    },
    "evaluation": lambda c, block, kind, task, **_: {
        "kind": kind,
        "task": task,
        "seeds": block_seeds(block),
        "criterion": criterion(c, [task]),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    },
    "example": lambda c, kind, task, **_: {
        "kind": kind,
        "task": task,
        "n_trials": min(c.figures.example_trials, c.evaluation.n_trials),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    },
    "perturbation": lambda c, block, kind, task, **_: (
        _perturbing(c)
        | {
            "kind": kind,
            "task": task,
            "seeds": block_seeds(block),
            "strengths": sweep(c, kind),
            "draws": c.perturbations.draws,
            "n_trials": min(c.perturbations.n_trials, c.evaluation.n_trials),
            "criterion": criterion(c, [task]),
        }
    ),
    "lesioned": lambda c, block, kind, task, **_: (
        _perturbing(c)
        | {
            "kind": kind,
            "task": task,
            "seeds": block_seeds(block)[:1],
            "perturbations": modular(c, kind),
            "strength": c.perturbations.example_strength,
            "n_trials": min(c.figures.example_trials, c.evaluation.n_trials),
        }
    ),
    "claims": lambda c, **_: {"claims": read_claims(c.claims.file).model_dump(mode="json")},
    "claims_page": lambda c, **_: {"run": c.name},
    "article": lambda c, **_: article.settings(c),
    "pages": lambda c, **_: {"contents": {name: TABLES[name].contents for name in paged_tables(c)}},
    "plateau": plateau,
    "provenance": lambda c, **_: {"run": c.name},
    **SEARCH_STAGES,
    **{name: lambda c, row=row, **_: row.settings(c) for name, row in TABLES.items()},
    **{name: figure.settings for name, figure in FIGURES.items()},
}
