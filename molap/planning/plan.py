"""The plan: the runs of a configuration, the settings of their jobs, and where their outputs lie.

The Snakefile takes each rule's params from here; `molap plan` prints them for use by hand.
"""

import json
import math
from collections.abc import Iterable, Mapping
from types import SimpleNamespace

import click

from molap.claims.reading import followed_claims
from molap.config.base import ConfigError, Section, check, did_you_mean
from molap.config.run import RunConfig, read
from molap.jobs.command import Refused, refusing, run
from molap.jobs.digests import source_digest, user_modules
from molap.planning.contents import baseline_kinds, kinds, left_out_sets, lesion_task, module_sizes, sweep, task_order
from molap.planning.outputs import baselines_run, chain_run, modules_run, path
from molap.planning.settings import STAGES
from molap.storage.files import canonical_json, record_path
from molap.storage.paths import FITTED, IN_SEQUENCE, NO_SWITCH, switch_run

UPSTREAM = {
    "corpus": (),
    "testset": (),
    "validation": (),
    "primitives": ("corpus",),
    "reservoir": (),
    "own_network": (),
    "module": ("primitives", "reservoir"),
    "head": ("module",),
    "separate": (),
    "sequence": (),
    "joint": (),
    "plateau": ("separate", "validation"),
}
"""Stages that runs may share, and the stages on which each depends."""
SCORED = ("evaluation", "perturbation")
"""Stages that score a network. Runs with a reading switched share them, as does the run of the baselines, if the
network, test set and settings are the same."""


def chains(c: RunConfig, run: str) -> dict[str, RunConfig]:
    """Return, by run, the configurations of a run with tasks left out of the corpus."""
    return {
        chain_run(run, names): _changed(c, generalisation={"without": names, "left_out": ()})
        for names in left_out_sets(c)
    }


def module_numbers(c: RunConfig) -> dict[str, RunConfig]:
    """Return, by run, the configurations with other numbers of modules and units."""
    return {
        modules_run(c.name, name): _changed(c, network={"n_modules": r, "n_units": n_units})
        for name, (_, r, n_units) in module_sizes(c).items()
    }


def baselines(c: RunConfig) -> dict[str, RunConfig]:
    """Return, by run, the configuration of the baselines for networks that learn all tasks."""
    nothing = {"kinds": (), "tasks": (), "example_task": None}
    return {baselines_run(c.name): _changed(c, dni={"kinds": baseline_kinds(c)}, perturbations=nothing)}


def switched(c: RunConfig, switch: str) -> RunConfig:
    """Return the configuration with one reading switched, reduced to what the claims of the attribution need.

    Raises:
        ConfigError: if the switch changes what a configuration does not have, or to what is not allowed.
    """
    whole_jobs = math.ceil(c.attribution.networks / c.seeds.per_job) * c.seeds.per_job
    base: dict[str, dict[str, object]] = {
        "seeds": {"networks": max(c.attribution.networks, min(whole_jobs, c.seeds.networks))},
        "dni": {"kinds": [kind for kind in c.dni.kinds if kind == "dni-rule"]},
        "perturbations": {"tasks": [lesion_task(c)] if sweep(c) else c.perturbations.tasks, "kinds": None},
        "generalisation": {"left_out": [names for names in left_out_sets(c) if len(names) == 1], "sources": ["cca"]},
    }
    changes = {} if switch == NO_SWITCH else c.attribution.switches[switch]
    field = f"attribution.switches.{switch}"
    sections = [name for name, value in c if isinstance(value, Section)]
    for name in changes:
        if name not in sections:
            hint, shown = did_you_mean(name, sections), name if name.isprintable() else repr(name)
            raise ConfigError(f"{field}.{shown}: unknown section; allowed are {', '.join(sections)}{hint}")
    try:
        return _changed(c, **{name: base.get(name, {}) | changes.get(name, {}) for name in (*base, *changes)})
    except ConfigError as error:
        raise ConfigError("\n".join(f"{field}.{line}" for line in str(error).splitlines())) from None


class Runs(dict[str, RunConfig]):
    """Configurations by run.

    Runs with a reading switched, and their chains, are created only when they are requested: there are many, and
    only the attribution needs them.
    """

    def __missing__(self, run: str) -> RunConfig:
        name, found, rest = run.partition("/switch/")
        switch, _, chain = rest.partition("/without/")
        if not found or switch not in {NO_SWITCH, *self[name].attribution.switches}:
            raise KeyError(run)
        whole = switch_run(name, switch)
        if chain:
            self[run] = chains(self[whole], whole)[run]
        else:
            self[run] = switched(self[name], switch)
        return self[run]


def _changed(c: RunConfig, **sections: dict) -> RunConfig:
    values = c.model_dump()
    for name, changes in sections.items():
        values[name] |= changes
    return check(RunConfig, values)


class Plan:
    """The runs of one configuration.

    They are the run itself, its chains without some tasks, those with other numbers of modules, its baselines, and
    those with one reading switched. If the settings of a stage, and those of all stages before it, are the same in
    several runs, the stage is computed once, in the first of these runs.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self._settings: dict[tuple, str] = {}
        self.programs: dict[str, tuple[str, tuple[str, ...]]] = {}
        """Requested digests → the module that is run, and the user's files that it reads."""
        self.places: dict[str, tuple[str, SimpleNamespace]] = {}
        """Records beside the outputs whose paths were requested → stage and wildcards of their jobs."""
        followed_claims(config)  # refuses an invalid file before any work
        self.runs = Runs({config.name: config})
        self.runs |= chains(config, config.name) | module_numbers(config) | baselines(config)
        for switch in config.attribution.switches:
            self.runs[switch_run(config.name, switch)]  # refuses an invalid switch before any work

    def settings(self, stage: str, run: str, **wildcards: object) -> str:
        """Return the settings of a job as one canonical JSON text: a param in the workflow, an input of the program."""
        place = (stage, run, *sorted(wildcards.items()))
        if place not in self._settings:
            self._settings[place] = canonical_json(STAGES[stage](self.runs[run], **wildcards))
        return self._settings[place]

    def code(self, program: str, stage: str, run: str, **wildcards: object) -> str:
        """Return the digest of the source that a job runs: its program and the user's tasks that it reads."""
        settings = json.loads(self.settings(stage, run, **wildcards))
        source = f"molap.stages.{program}", user_modules(settings)
        digest = source_digest(*source)
        self.programs[digest] = source
        return digest

    def path(self, output: str, run: str, **wildcards: object) -> str:
        """Return the path of an output in the run that computes it."""
        owner = self._owner(output, run, wildcards)
        file = path(output, owner, **wildcards)
        named = {name: str(value) for name, value in wildcards.items()}
        self.places.setdefault(record_path(file), (output, SimpleNamespace(run=owner, **named)))
        return file

    def network(self, run: str, block: str, kind: str, task: str) -> str:
        """Return the trained network of a kind; for a network that learns in sequence, the one after the last task."""
        in_turn = kind.partition("-")[0] in IN_SEQUENCE
        return self.network_after(run, block, kind, task_order(self.runs[run], 0)[-1] if in_turn else task)

    def network_after(self, run: str, block: str, kind: str, task: str) -> str:
        """Return the network that a kind (`separate`, `molap-cca`, `dni-rule`, …) has after training on a task."""
        strategy, _, source = kind.partition("-")
        if strategy == "separate":
            return self.path("separate", run, block=block, task=task)
        if strategy == "joint":
            return self.path("joint", run, block=block, kind=kind)
        if strategy in IN_SEQUENCE:
            return self.path("sequence", run, block=block, kind=kind, order=0, task=task)
        modules = self.runs[run].network.n_modules
        return self.path("head", run, block=block, source=source, task=task, module=modules)

    def collected_kinds(self, run: str) -> list[str]:
        """Return the kinds of networks in a run's table of performance; for the run of the baselines, only the
        baselines."""
        c = self.runs[run]
        return list(c.dni.kinds) if run == baselines_run(self.config.name) else kinds(c)

    def pretrained(self, run: str, block: str, source: str) -> str:
        """Return the network that the heads of a source freeze: after the last module, or the bare reservoir."""
        if source == "none":
            return self.path("reservoir", run, block=block)
        if source in self.runs[run].reservoirs.files:
            return self.path("own_network", run, block=block, source=source)
        return self.path("module", run, block=block, source=source, module=self.runs[run].network.n_modules)

    def _owner(self, stage: str, run: str, wildcards: dict) -> str:
        shares_scores = "/switch/" in run or run == baselines_run(self.config.name)
        if stage not in UPSTREAM and not (stage in SCORED and shares_scores):
            return run
        return next(other for other in self._related(run) if self._same(stage, run, other, wildcards))

    def _related(self, run: str) -> Iterable[str]:
        """Return the runs, first to last, with which a stage may share its output."""
        name, found, rest = run.partition("/switch/")
        if not found:
            return [other for other in self.runs if "/switch/" not in other]
        switch, _, chain = rest.partition("/without/")
        whole = switch_run(name, switch)
        return [name, *([chain_run(name, chain.split("+")), whole] if chain else []), run]

    def _same(self, stage: str, run: str, other: str, wildcards: dict) -> bool:
        if run == other:
            return True
        if stage in SCORED and not self._same_network(run, other, **wildcards):
            return False
        own, others = (self.settings(stage, r, **wildcards) for r in (run, other))
        upstream = UPSTREAM.get(stage, ())
        if stage == "head" and wildcards["source"] not in FITTED:
            upstream = ("reservoir",) if wildcards["source"] == "none" else ("own_network",)
        return own == others and all(self._same(before, run, other, wildcards) for before in upstream)

    def _same_network(self, run: str, other: str, block: str, kind: str, task: str) -> bool:
        """Return whether both runs have the same network of this kind, and test it on the same trials."""
        if kind not in kinds(self.runs[other]):
            return False
        own, others = ((self.network(r, block, kind, task), self.path("testset", r, task=task)) for r in (run, other))
        return own == others


@click.command("plan", epilog=f"Stages: {', '.join(sorted(STAGES))}.")
@click.argument("stage", type=click.Choice(sorted(STAGES)), metavar="STAGE")
@click.argument("wildcards", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--config", default=["config/paper.yaml"], multiple=True, metavar="FILE", help="Configuration that is planned."
)
@refusing(ConfigError)
def main(stage: str, wildcards: tuple[str, ...], config: tuple[str, ...]) -> None:
    """Print the settings of a stage, for `--settings` of its program.

    What a stage is made for is named by block, source, task, kind and the like:

    \b
    Example:
      molap plan head block=s0 source=cca task=mem_pro
    """
    for word in wildcards:
        if "=" not in word:
            raise Refused(f"NAME=VALUE: {word!r} is not allowed; give a name, `=` and a value")
    if len(config) > 1:
        raise Refused(f"--config: {' '.join(config)} are not allowed together; give one file")
    planned = read(config[0])
    pairs = [word.split("=", 1) for word in wildcards]
    named = dict(pairs)
    if len(named) < len(pairs):
        raise Refused(f"NAME=VALUE: {' '.join(wildcards)!r} is not allowed; give each name once")
    _check_names(planned, named)
    try:
        print(Plan(planned).settings(stage, planned.name, **named))
    except ConfigError:
        raise
    except (LookupError, TypeError, ValueError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error).removeprefix("<lambda>() ")
        raise Refused(f"{' '.join(wildcards)!r} does not name a {stage}: {reason}") from None


def _check_names(c: RunConfig, named: Mapping[str, str]) -> None:
    """Refuse a task, source or kind of network that the configuration does not have."""
    sources = [*FITTED, "none", *c.reservoirs.files]
    in_sequence = [f"{strategy}-{rule}" for strategy in (*IN_SEQUENCE, "joint") for rule in ("rule", "norule")]
    known = {
        "task": [*dict.fromkeys([*c.tasks.names, *c.tune.tasks])],
        "source": sources,
        "kind": ["separate", *(f"molap-{source}" for source in sources), *in_sequence],
    }
    for name, allowed in known.items():
        if named.get(name, allowed[0]) not in allowed:
            raise Refused(f"{name}={named[name]} is not allowed; {name} is one of {', '.join(allowed)}")


if __name__ == "__main__":
    run(main)
