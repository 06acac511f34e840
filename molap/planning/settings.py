"""Which part of a run's configuration each stage depends on, and nothing more."""

from collections.abc import Sequence
from itertools import takewhile

from molap.claims.reading import followed_claims, read_claims
from molap.config.network import InitSettings
from molap.config.perturbations import PerturbationReadings
from molap.config.run import RunConfig
from molap.config.training import RecurrentPhaseSettings
from molap.planning.contents import (
    corpus_tasks,
    curve_figures,
    defining_modules,
    example_kinds,
    fitted_sources,
    labels,
    lesion_task,
    lesioned_kind,
    lesions,
    modular,
    module_sizes,
    scaling_sizes,
    sweep,
    task_order,
)
from molap.planning.plateau_settings import PLATEAU_STAGES
from molap.planning.search_settings import SEARCH_STAGES
from molap.planning.setting_parts import criterion, fields, method, primitives_of, training, trials, without_keys
from molap.storage.paths import ALL_TASKS, NO_SWITCH, block_seeds


def _channels(c: RunConfig) -> dict:
    """Where tasks come from, for stages that count channels and draw no trials."""
    return {"modules": defining_modules(c, c.tasks.names)}


def _module(c: RunConfig, block: str, source: str, module: int | str, **_) -> dict:
    place = {"module": int(module), "n_modules": c.network.n_modules}
    return training(c, c.pretraining, block, corpus_tasks(c)) | primitives_of(c, source) | place


def _all_tasks_network(c: RunConfig, block: str, kind: str, n_steps: int, names: Sequence[str]) -> dict:
    """Settings of a network for several tasks."""
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
    from molap.networks.own import content_digest  # NumPy only where there is something to read

    return {"source": source, "seeds": block_seeds(block), "content": content_digest(c.reservoirs.files[source])}


def _steps(c: RunConfig) -> dict[str, int]:
    return {name: getattr(c, name).n_steps for name in ("pretraining", "heads", "separate", "dni")}


STAGES = {
    "configuration": lambda c, **_: c.model_dump(mode="json", exclude={"tracking"}),
    "corpus": lambda c, **_: {
        "trials": trials(c, corpus_tasks(c)),
        "tasks": corpus_tasks(c),
        "alignment": c.corpus.alignment,
        "n_trials": c.corpus.n_trials,
        "data_seed": c.seeds.data,
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
        "criterion": criterion(c),
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
        "trials": _channels(c),
        "tasks": task_order(c, order),
        "order": int(order),
        "rule": kind.endswith("-rule"),
        "seeds": block_seeds(block),
        "n_units": c.dni.n_units,
        "gain": c.dni.gain,
        "recurrent_init": c.network.recurrent_init,
        "init": without_keys(fields(c.network, InitSettings)),
        "criterion": criterion(c),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    },
    "evaluation": lambda c, block, kind, task, **_: {
        "kind": kind,
        "task": task,
        "seeds": block_seeds(block),
        "criterion": criterion(c),
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
    "performance": lambda c, **_: {"tasks": list(labels(c).items())},
    "counts": lambda c, **_: {},
    "table1": lambda c, **_: {},
    "components": lambda c, **_: {"sources": fitted_sources(c)},
    "curves": lambda c, **_: {},
    "learning": lambda c, **_: {"labels": list(labels(c).items())},
    "scaling": lambda c, **_: {
        "trials": _channels(c),
        "tasks": list(c.tasks.names),
        "sizes": scaling_sizes(c),
        "n_modules": c.network.n_modules,
        "steps": _steps(c),
        "biases": c.network.biases,
    },
    "fig_learning": lambda c, **_: {"labels": list(labels(c).items()), "decay": c.optimiser.decay},
    "fig_scaling": lambda c, **_: {"n_units": c.network.n_units},
    "continual": lambda c, **_: {},
    "forgetting": lambda c, **_: {},
    "fig_dni": lambda c, **_: {"labels": labels(c)},
    "fig_yardsticks": lambda c, **_: {"labels": labels(c)},
    "perturbation": lambda c, block, kind, task, **_: (
        _perturbing(c)
        | {
            "kind": kind,
            "task": task,
            "seeds": block_seeds(block),
            "strengths": sweep(c, kind),
            "draws": c.perturbations.draws,
            "n_trials": min(c.perturbations.n_trials, c.evaluation.n_trials),
            "criterion": criterion(c),
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
    "robustness": lambda c, **_: {},
    "areas": lambda c, **_: {},
    "fig1c": lambda c, **_: {},
    "fig2": lambda c, **_: {"task": c.figures.example_task, "kinds": example_kinds(c)},
    "claims": lambda c, **_: {"claims": read_claims(c.claims.file).model_dump(mode="json")},
    "claims_page": lambda c, **_: {"run": c.name},
    "attribution": lambda c, **_: {"claims": followed_claims(c).model_dump(mode="json"), "none": NO_SWITCH},
    "fig_attribution": lambda c, **_: {"none": NO_SWITCH},
    "generalisation": lambda c, **_: {"labels": labels(c), "single": c.generalisation.single},
    "differences": lambda c, **_: {},
    "fig5": lambda c, **_: {"labels": list(labels(c).items())},
    "fig3": lambda c, **_: {
        "task": lesion_task(c),
        "kind": lesioned_kind(c),
        "labels": labels(c),
        "strength": c.perturbations.example_strength,
    },
    "fig_curves": lambda c, figure, **_: {
        "panels": [[list(panel) for panel in row] for row in curve_figures(c)[figure]],
        "y": "relative" if figure == "fig_relative" else "accuracy",
        "labels": labels(c),
    },
    "fig_matched": lambda c, **_: {
        "tasks": [lesion_task(c), ALL_TASKS],
        "perturbations": lesions(c),
        "labels": labels(c),
    },
    "fig_areas": lambda c, **_: {"perturbations": list(sweep(c))},
    "pages": lambda c, **_: {},
    "provenance": lambda c, **_: {"run": c.name},
    "modules": lambda c, **_: {
        "labels": list(labels(c).items()),
        "sizes": module_sizes(c),
        "trials": _channels(c),
        "steps": _steps(c),
        "biases": c.network.biases,
    },
    "fig_modules": lambda c, **_: {"labels": list(labels(c).items())},
    **PLATEAU_STAGES,
    **SEARCH_STAGES,
}
