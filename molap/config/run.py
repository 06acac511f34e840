"""The whole configuration of a run: one file, checked before anything else happens."""

from pathlib import Path
from typing import NamedTuple

from pydantic import Field, field_validator, model_validator

from molap.config.attribution import AttributionSettings
from molap.config.base import ConfigError, Section, check
from molap.config.claims import ClaimSettings
from molap.config.dni import DniSettings
from molap.config.evaluation import EvaluationSettings
from molap.config.figures import FigureSettings
from molap.config.generalisation import GeneralisationSettings
from molap.config.modules import ModuleNumberSettings
from molap.config.names import FOLDER, FOLDERS, LONGEST, OURS, why_not_a_name
from molap.config.network import NetworkSettings, SeparateSettings
from molap.config.perturbations import PerturbationSettings
from molap.config.primitives import CorpusSettings, PrimitiveSettings
from molap.config.reservoirs import ReservoirSettings
from molap.config.seeds import SeedSettings
from molap.config.tasks import DT_MS, MOST_CHANNELS, N_STEPS, TASK_LABELS, TASK_NAMES, TaskSettings
from molap.config.tracking import TrackingSettings
from molap.config.training import (
    HeadSettings,
    OptimiserSettings,
    PretrainingSettings,
    SeparatePhaseSettings,
)
from molap.config.tune import TuneSettings
from molap.config.yaml_file import read_yaml


class RunSettings(Section):
    """Everything that a run's results depend on. The defaults are the preset `paper`."""

    name: str = Field("paper", description="Name of the configuration. Outputs go to `results/<name>/`.")
    tasks: TaskSettings = TaskSettings()
    corpus: CorpusSettings = CorpusSettings()
    primitives: PrimitiveSettings = PrimitiveSettings()
    network: NetworkSettings = NetworkSettings()
    separate_network: SeparateSettings = SeparateSettings()
    optimiser: OptimiserSettings = OptimiserSettings()
    pretraining: PretrainingSettings = PretrainingSettings()
    heads: HeadSettings = HeadSettings()
    separate: SeparatePhaseSettings = SeparatePhaseSettings()
    dni: DniSettings = DniSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    perturbations: PerturbationSettings = PerturbationSettings()
    generalisation: GeneralisationSettings = GeneralisationSettings()
    modules: ModuleNumberSettings = ModuleNumberSettings()
    reservoirs: ReservoirSettings = ReservoirSettings()
    figures: FigureSettings = FigureSettings()
    claims: ClaimSettings = ClaimSettings()
    attribution: AttributionSettings = AttributionSettings()
    seeds: SeedSettings = SeedSettings()
    tune: TuneSettings = TuneSettings()

    @field_validator("name")
    @classmethod
    def _name_is_a_folder(cls, name: str) -> str:
        if reason := why_not_a_name(name, FOLDER, OURS | FOLDERS):
            shown = name if len(name) <= LONGEST else f"{name[:LONGEST]}…"
            raise ValueError(f"{shown!r} is not allowed as a name; {reason}")
        return name

    @model_validator(mode="after")
    def _tasks_exist(self):
        known = known_tasks(self.tasks.modules)
        for field, names in (
            ("tasks.names", self.tasks.names),
            ("figures.example_task", (self.figures.example_task,)),
            ("figures.plateau_tasks", self.figures.plateau_tasks or ()),
            ("tune.tasks", self.tune.tasks),
        ):
            if unknown := [repr(name) for name in names if name not in known]:
                none = "there is no task" if len(unknown) == 1 else "there are no tasks"
                raise ValueError(f"{field}: {none} {', '.join(unknown)}; tasks are {', '.join(known)}")
        for field, chosen in (
            ("tasks.names", self.tasks.names),
            ("primitives.sources", self.primitives.sources),
            ("dni.kinds", self.dni.kinds),
            ("dni.baselines", self.dni.baselines),
            ("modules.numbers", self.modules.numbers),
            ("figures.scaling_units", self.figures.scaling_units),
            ("figures.plateau_tasks", self.figures.plateau_tasks or ()),
            ("tune.tasks", self.tune.tasks),
            ("tune.kinds", self.tune.kinds),
        ):
            if len(set(chosen)) < len(chosen):
                raise ValueError(f"{field}: {list(chosen)} is not allowed; each may appear once")
        self._trials_fit()
        self._perturbed_are_trained()
        self._corpora_have_tasks()
        for field, names in (
            ("figures.example_task", (self.figures.example_task,)),
            ("figures.plateau_tasks", self.figures.plateau_tasks or ()),
        ):
            for name in names:
                if name not in self.tasks.names:
                    raise ValueError(
                        f"{field}: {name!r} is not trained; allowed are the tasks of tasks.names: "
                        f"{', '.join(self.tasks.names)}"
                    )
        return self

    def _trials_fit(self) -> None:
        """Check that the tasks can be learned by one network, and that their decisions are read within their trials."""
        of = {name: shapes(self.tasks.modules)[name] for name in self.tasks.names}
        steps = {shape.dt: name for name, shape in of.items()}
        if len(steps) > 1:
            (one, first), (other, second) = list(steps.items())[:2]
            raise ValueError(
                f"tasks.names: a step is {one:g} ms in {first} and {other:g} ms in {second}; the tasks of a run have "
                "steps of one duration (for an environment of neurogym, neurogym_task(…, dt=…) sets it)"
            )
        window = self.evaluation.window
        for name, shape in of.items():
            if not shape.has_window and window > shape.n_steps:
                raise ValueError(
                    f"evaluation.window: {window} is not allowed; a trial of {name} has {shape.n_steps} steps"
                )
        if self.tasks.modules:
            from molap.tasks.registry import check_rules  # and with it JAX

            check_rules(self.tasks.modules, self.tasks.names, window)
        longest = max(shape.n_steps for shape in of.values())
        if self.tasks.noise_onset > longest:
            raise ValueError(
                f"tasks.noise_onset: {self.tasks.noise_onset} is not allowed; the longest trial has {longest} steps"
            )
        for name in self.figures.plateau_tasks or ():
            missing = [epoch for epoch in PLATEAU_EPOCHS if name not in NINE_SHAPES and epoch not in of[name].epochs]
            if missing:
                raise ValueError(
                    f"figures.plateau_tasks: {name!r} has no epoch {missing[0]!r}; the diagnosis needs tasks with two "
                    "pulses, `pulse1` and `pulse2`, and a `response`"
                )
        if self.tasks.modules and self.corpus.alignment == "aligned":
            from molap.tasks.corpus import check_aligned
            from molap.tasks.registry import load_tasks

            known = load_tasks(self.tasks.modules)
            check_aligned([known[name] for name in self.tasks.names], self.tasks)

    def _perturbed_are_trained(self) -> None:
        p = self.perturbations
        tasks = self.tasks.names if p.tasks is None else p.tasks
        trained = self._kinds()
        for field, names, allowed in (
            ("tasks", p.tasks or (), self.tasks.names),
            ("kinds", p.kinds or (), trained),
            ("example_task", (p.example_task,) * (p.example_task is not None), tasks),
        ):
            for name in names:
                if name not in allowed:
                    raise ValueError(
                        f"perturbations.{field}: {name!r} is not allowed; this run trains {', '.join(allowed)}"
                    )
            if len(set(names)) < len(names):
                raise ValueError(f"perturbations.{field}: {list(names)} is not allowed; each may appear once")

    def check_lesions(self) -> None:
        """Check that the strongest perturbation of each sort hits a weight or a unit of every kind of network.

        Raises:
            ConfigError: in one line, with the perturbation, its strength and the kind of network.
        """
        p = self.perturbations
        for kind in (self._kinds() if p.kinds is None else p.kinds) if p.tasks != () else ():
            sizes = self._sizes_of_modules(kind)
            n_units, within = sum(sizes), [size**2 for size in sizes]
            everywhere = n_units**2 + (n_units if p.biases == "hit" else 0)
            places = {"module": min(within), "whole": everywhere, "silence": n_units}
            if len(sizes) > 1:
                places["inter_module"] = everywhere if p.inter_module_as == "whole" else n_units**2 - sum(within)
            for name, n_places in places.items():
                strengths = getattr(p, name)
                if strengths and max(strengths) * n_places < 100:
                    what = "units" if name == "silence" else "weights of a module" if name == "module" else "weights"
                    raise ConfigError(
                        f"perturbations.{name}: {max(strengths):g} % of {n_places} {what} of {kind} hits nothing; give "
                        f"a larger percentage, or [] for none, or leave {kind} out of perturbations.kinds"
                    )

    def _kinds(self) -> tuple[str, ...]:
        """Return the kinds of networks whose training may be perturbed."""
        sources = (*self.primitives.sources, *self.reservoirs.files)
        return "separate", *(f"molap-{source}" for source in sources), *self.dni.kinds

    def _sizes_of_modules(self, kind: str) -> list[int]:
        """Return the number of units of every module: as a user's file names them, or else of almost equal blocks."""
        strategy, _, source = kind.partition("-")
        if strategy == "molap" and source in self.reservoirs.files:
            from molap.networks.own import sizes_of_modules  # imports NumPy only if there is a file to read

            sizes = sizes_of_modules(self.reservoirs.files[source])
            if len(sizes) > 1:
                return sizes
            n_units = sizes[0]
        else:
            sizes_of = {"molap": self.network.n_units, "separate": self.separate_network.n_units}
            n_units = sizes_of.get(strategy, self.dni.n_units)
        r = self.network.n_modules
        return [n_units * (i + 1) // r - n_units * i // r for i in range(r)]

    def _corpora_have_tasks(self) -> None:
        g = self.generalisation
        sets = [("without", g.without), *(("left_out", names) for names in g.left_out or ())]
        for field, names in sets:
            for name in names:
                if name not in self.tasks.names:
                    allowed = ", ".join(self.tasks.names)
                    raise ValueError(f"generalisation.{field}: {name!r} is not allowed; tasks.names has {allowed}")
            if len(set(names)) < len(names) or (field == "left_out" and not names):
                raise ValueError(f"generalisation.{field}: {list(names)} is not allowed; name tasks, each once")
            if len(names) >= len(self.tasks.names):
                raise ValueError(
                    f"generalisation.{field}: {list(names)} is not allowed; a task must stay in the corpus"
                )
        if g.without and g.left_out:
            raise ValueError("generalisation.without: not allowed beside left_out, whose chains set it")
        if len({frozenset(names) for _, names in sets[1:]}) < len(sets) - 1:
            shown = [list(names) for names in g.left_out or ()]
            raise ValueError(f"generalisation.left_out: {shown} is not allowed; each set may appear once")


class RunConfig(RunSettings):
    """A configuration file: what results depend on, and where runs are tracked."""

    tracking: TrackingSettings = TrackingSettings()


class TaskShape(NamedTuple):
    """The sizes of a task's trials."""

    n_steps: int
    n_channels: int
    """Inputs and outputs together."""
    dt: float
    """Duration of a step in ms."""
    has_window: bool
    """Whether the task has a window of its own, over which its decisions are read."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs of a user's task."""
    epochs: tuple[str, ...] = ()
    """Names of the epochs of a user's task."""


PLATEAU_EPOCHS = ("response", "pulse1", "pulse2")
"""Epochs of the tasks for which the diagnosis shows why training got stuck."""
NINE_SHAPES = dict.fromkeys(TASK_NAMES, TaskShape(N_STEPS, MOST_CHANNELS, DT_MS, False))


def shapes(modules: tuple[str, ...]) -> dict[str, TaskShape]:
    """Return the sizes of all tasks; the registry is imported only if the user adds tasks."""
    if not modules:
        return NINE_SHAPES
    from molap.tasks.registry import load_tasks

    own = {name: task for name, task in load_tasks(modules).items() if name not in NINE_SHAPES}
    return NINE_SHAPES | {
        name: TaskShape(
            task.n_steps,
            len(task.inputs) + len(task.outputs),
            task.dt,
            task.window is not None,
            task.outputs,
            tuple(task.epochs),
        )
        for name, task in own.items()
    }


def known_tasks(modules: tuple[str, ...]) -> dict[str, str]:
    """Return the names of all tasks and their labels.

    The registry (and with it JAX) is imported only if the user adds tasks.
    """
    if not modules:
        return TASK_LABELS
    from molap.tasks.registry import load_tasks

    return {name: task.label for name, task in load_tasks(modules).items()}


def parse_config(values: dict) -> RunConfig:
    """Check a configuration given as plain values.

    Raises:
        ConfigError: with one line per refused field.
    """
    config = check(RunConfig, values)
    config.check_lesions()
    return config


def read(path: str | Path) -> RunConfig:
    """Read and check a YAML configuration file.

    Raises:
        ConfigError: if the file cannot be read (`molap.config.yaml_file`), or if a field is refused.
    """
    return parse_config(read_yaml(path))
