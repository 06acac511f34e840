"""The plan: which settings each stage of a run depends on, and nothing more.

The Snakefile takes each rule's params from here; `python -m molap.plan` prints them for use by hand.
"""

import argparse
import sys

from molap.config.base import ConfigError
from molap.config.dni import MethodSettings
from molap.config.evaluation import CriterionSettings
from molap.config.network import InitSettings
from molap.config.perturbations import PerturbationReadings
from molap.config.run import RunConfig, read
from molap.config.tasks import TrialSettings
from molap.config.training import PhaseSettings
from molap.digests import source_digest
from molap.paths import ALL_TASKS, block_name, block_seeds, path
from molap.records import canonical_json
from molap.selection import (
    blocks,
    curve_figures,
    example_kinds,
    fitted_sources,
    kinds,
    labels,
    lesion_task,
    lesioned_kind,
    lesions,
    modular,
    perturbed_kinds,
    perturbed_tasks,
    sequence_kinds,
    sweep,
    task_order,
)

UPSTREAM = {
    "corpus": (),
    "testset": (),
    "primitives": ("corpus",),
    "reservoir": (),
    "module": ("primitives", "reservoir"),
    "head": ("module",),
    "separate": (),
    "sequence": (),
    "joint": (),
}
"""Stages that runs may share, and the stages that each depends on."""


def fields(section, model) -> dict:
    """The part of a section that belongs to `model`, as plain values."""
    return {name: value for name, value in section.model_dump(mode="json").items() if name in model.model_fields}


def _training(c: RunConfig, phase, block: str) -> dict:
    return {
        "trials": fields(c.tasks, TrialSettings),
        "seeds": block_seeds(block),
        "data_seed": c.seeds.data,
        "init": fields(c.network, InitSettings),
        "state_noise": c.network.state_noise,
        "phase": phase.model_dump(mode="json"),
        "optimiser": c.optimiser.model_dump(mode="json"),
    }


def _module(c: RunConfig, block: str, source: str, module: int | str, **_) -> dict:
    return _training(c, c.pretraining, block) | {
        "source": source,
        "joint": source == "pca" and c.primitives.pca == "joint",
        "module": int(module),
        "n_modules": c.network.n_modules,
        "tasks": list(c.tasks.names),
        "alignment": c.corpus.alignment,
    }


def _shared_init(c: RunConfig) -> dict:
    """Initial weights of networks for all tasks are drawn channel by channel, each with its own key."""
    return {name: value for name, value in fields(c.network, InitSettings).items() if name != "keys"}


def _method(c: RunConfig, first: bool) -> dict:
    """Settings of DNI; before anything is protected, those of measuring alone."""
    method = fields(c.dni, MethodSettings)
    return {name: value for name, value in method.items() if not first or name not in ("alpha", "projection")}


def _shared(c: RunConfig, block: str, kind: str, n_steps: int) -> dict:
    """Settings of a network for all tasks."""
    phase = PhaseSettings(**fields(c.dni, PhaseSettings) | {"n_steps": n_steps})
    return _training(c, phase, block) | {
        "init": _shared_init(c),
        "rule": kind.endswith("-rule"),
        "n_units": c.dni.n_units,
        "gain": c.dni.gain,
    }


def _sequence(c: RunConfig, block: str, kind: str, order: int | str, task: str, **_) -> dict:
    names = task_order(c, order)
    return _shared(c, block, kind, c.dni.n_steps) | {
        "task": task,
        "before": names[: names.index(task)],
        "method": _method(c, first=task == names[0]) if kind.startswith("dni") else None,
    }


def _criterion(c: RunConfig) -> dict:
    return fields(c.evaluation, CriterionSettings)


def _perturbing(c: RunConfig) -> dict:
    return {
        "n_modules": c.network.n_modules,
        "readings": fields(c.perturbations, PerturbationReadings),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    }


def _selection(c: RunConfig) -> dict:
    """Which networks a table or figure collects."""
    return {"run": c.name, "tasks": list(c.tasks.names), "kinds": kinds(c), "blocks": blocks(c)}


STAGES = {
    "configuration": lambda c, **_: c.model_dump(mode="json", exclude={"tracking"}),
    "corpus": lambda c, **_: {
        "trials": fields(c.tasks, TrialSettings),
        "tasks": list(c.tasks.names),
        "alignment": c.corpus.alignment,
        "n_trials": c.corpus.n_trials,
        "data_seed": c.seeds.data,
    },
    "testset": lambda c, task, **_: {
        "trials": fields(c.tasks, TrialSettings),
        "task": task,
        "n_trials": c.evaluation.n_trials,
        "stream": c.evaluation.stream,
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
        "inter_module": c.network.inter_module,
        "init": fields(c.network, InitSettings),
    },
    "module": _module,
    "head": lambda c, block, source, task, **_: _training(c, c.heads, block) | {"source": source, "task": task},
    "separate": lambda c, block, task, **_: (
        _training(c, c.separate, block)
        | {"task": task, "n_units": c.separate_network.n_units, "gain": c.separate_network.gain}
    ),
    "sequence": _sequence,
    "joint": lambda c, block, kind, **_: _shared(c, block, kind, c.dni.joint_steps) | {"tasks": list(c.tasks.names)},
    "scores": lambda c, block, kind, order, **_: {
        "trials": fields(c.tasks, TrialSettings),
        "tasks": task_order(c, order),
        "order": int(order),
        "rule": kind.endswith("-rule"),
        "seeds": block_seeds(block),
        "n_units": c.dni.n_units,
        "gain": c.dni.gain,
        "init": _shared_init(c),
        "criterion": _criterion(c),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    },
    "evaluation": lambda c, block, kind, task, **_: {
        "kind": kind,
        "task": task,
        "seeds": block_seeds(block),
        "criterion": _criterion(c),
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
    "performance": lambda c, **_: _selection(c) | {"tasks": [[name, label] for name, label in labels(c).items()]},
    "counts": lambda c, **_: _selection(c) | {"blocks": blocks(c)[:1], "n_modules": c.network.n_modules},
    "table1": lambda c, **_: {},
    "components": lambda c, **_: {"sources": fitted_sources(c)},
    "curves": lambda c, **_: _selection(c) | {"n_modules": c.network.n_modules},
    "continual": lambda c, **_: (
        {name: value for name, value in _selection(c).items() if name != "kinds"}
        | {"kinds": sequence_kinds(c), "orders": c.dni.orders}
    ),
    "forgetting": lambda c, **_: {},
    "fig_dni": lambda c, **_: {"labels": labels(c)},
    "perturbation": lambda c, block, kind, task, **_: (
        _perturbing(c)
        | {
            "kind": kind,
            "task": task,
            "seeds": block_seeds(block),
            "strengths": sweep(c),
            "draws": c.perturbations.draws,
            "n_trials": min(c.perturbations.n_trials, c.evaluation.n_trials),
            "criterion": _criterion(c),
        }
    ),
    "lesioned": lambda c, block, kind, task, **_: (
        _perturbing(c)
        | {
            "kind": kind,
            "task": task,
            "seeds": block_seeds(block)[:1],
            "perturbations": modular(c),
            "strength": c.perturbations.example_strength,
            "n_trials": min(c.figures.example_trials, c.evaluation.n_trials),
        }
    ),
    "robustness": lambda c, **_: _selection(c) | {"tasks": perturbed_tasks(c), "kinds": perturbed_kinds(c)},
    "areas": lambda c, **_: {},
    "fig1c": lambda c, **_: {},
    "fig2": lambda c, **_: {"task": c.figures.example_task, "kinds": example_kinds(c)},
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
    "tune_table": lambda c, **_: {
        "run": c.name,
        "tasks": list(c.tune.tasks),
        "kinds": list(c.tune.kinds),
        "candidates": {choice.name: choice.model_dump(mode="json") for choice in c.tune.candidates},
        "block": block_name([c.tune.first_seed]),
    },
    "fig_tune": lambda c, **_: {},
}


def candidates(c: RunConfig) -> dict[str, RunConfig]:
    """The configurations of the search: the run's own but for the choice, scored on validation trials."""
    found = {}
    for choice in c.tune.candidates:
        values = c.model_dump()
        values["optimiser"] |= {"decay": choice.decay, "clip_norm": choice.clip_norm}
        values["network"] |= {"readout_init": choice.readout_init}
        for phase in ("heads", "separate"):
            values[phase] |= {"n_steps": choice.n_steps}
            if choice.learning_rate is not None:
                values[phase] |= {"learning_rate": choice.learning_rate}
        values["evaluation"] |= {"stream": "validation", "n_trials": c.tune.n_trials}
        values["seeds"] |= {"first": c.tune.first_seed, "networks": 1, "per_job": 1}
        found[choice.name] = RunConfig(**values)
    return found


class Plan:
    """The runs of one configuration: the run itself and the candidates of its search.

    A stage whose settings, and those of all stages before it, are the same in several runs is computed once, in
    the first of them.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.candidates = candidates(config)
        self.runs = {config.name: config}
        self.runs |= {f"{config.name}/tune/{name}": c for name, c in self.candidates.items()}

    def settings(self, stage: str, run: str, **wildcards: str) -> str:
        """The settings of a job as one canonical JSON text: its param in the workflow, its input as a program."""
        return canonical_json(STAGES[stage](self.runs[run], **wildcards))

    def code(self, stage: str) -> str:
        """Digest of the source that a stage runs."""
        reads_tasks = stage in ("corpus", "testset", "module", "head", "separate", "sequence", "joint", "scores")
        modules = self.config.tasks.modules if reads_tasks else ()
        return source_digest(f"molap.stages.{stage}", tuple(modules))

    def path(self, output: str, run: str, **wildcards: object) -> str:
        """The path of an output in the run that computes it."""
        return path(output, self._owner(output, run, wildcards), **wildcards)

    def network(self, run: str, block: str, kind: str, task: str) -> str:
        """The trained network of a kind; of a network that learns in turn, that after the last task."""
        if kind == "separate":
            return self.path("separate", run, block=block, task=task)
        if kind.startswith("joint"):
            return self.path("joint", run, block=block, kind=kind)
        if kind in self.runs[run].dni.kinds:
            last = task_order(self.runs[run], 0)[-1]
            return self.path("sequence", run, block=block, kind=kind, order=0, task=last)
        modules = self.runs[run].network.n_modules
        wildcards = {"block": block, "source": kind.removeprefix("molap-"), "task": task, "module": modules}
        return self.path("head", run, **wildcards)

    def pretrained(self, run: str, block: str, source: str) -> str:
        """The network that the heads of a source freeze: after the last module, or the bare reservoir."""
        if source == "none":
            return self.path("reservoir", run, block=block)
        return self.path("module", run, block=block, source=source, module=self.runs[run].network.n_modules)

    def _owner(self, stage: str, run: str, wildcards: dict) -> str:
        if stage not in UPSTREAM:
            return run
        return next(other for other in self.runs if self._same(stage, run, other, wildcards))

    def _same(self, stage: str, run: str, other: str, wildcards: dict) -> bool:
        if run == other:
            return True
        own, others = (self.settings(stage, r, **wildcards) for r in (run, other))
        upstream = ("reservoir",) if wildcards.get("source") == "none" and stage == "head" else UPSTREAM[stage]
        return own == others and all(self._same(before, run, other, wildcards) for before in upstream)


def main(argv: list[str] | None = None) -> None:
    """Print the settings of a stage, for `--settings` of its program."""
    parser = argparse.ArgumentParser(prog="python -m molap.plan", description=main.__doc__)
    parser.add_argument("stage", choices=sorted(STAGES))
    parser.add_argument("wildcards", nargs="*", metavar="NAME=VALUE", help="block, source, task, kind, …")
    parser.add_argument("--config", default="config/paper.yaml", metavar="FILE")
    arguments = parser.parse_intermixed_args(argv)
    try:
        wildcards = dict(item.split("=", 1) for item in arguments.wildcards)
        config = read(arguments.config)
        print(Plan(config).settings(arguments.stage, config.name, **wildcards))
    except ConfigError as error:
        sys.exit(f"molap.plan: {error}")
    except (TypeError, ValueError) as error:
        sys.exit(f"molap.plan: {' '.join(arguments.wildcards)!r} does not name a {arguments.stage}: {error}")


if __name__ == "__main__":
    main()
