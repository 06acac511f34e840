"""Find what the rules of the workflow read: files by the names that programs know, from a job's wildcards.

When there are many files of a kind, each is named by what it belongs to, in the order of the table: `kind/task/block`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from molap.claims.reading import followed_claims
from molap.config.base import ConfigError
from molap.planning.contents import (
    blocks,
    chain_sources,
    example_kinds,
    fitted_sources,
    followed_tables,
    grids,
    kinds,
    left_out_sets,
    lesion_task,
    lesioned_kind,
    module_fits,
    module_kinds,
    module_sizes,
    molap_kinds,
    perturbed_kinds,
    perturbed_tasks,
    plateau_tasks,
    sequence_kinds,
    task_order,
)
from molap.planning.outputs import baselines_run, chain_name, chain_run, checkpoints_path, modules_run
from molap.planning.plan import Plan
from molap.planning.rows import Files
from molap.storage.files import record_path
from molap.storage.paths import FITTED, FORMER, IN_SEQUENCE, NO_SWITCH, switch_run


class Inputs:
    """The inputs of the rules for a configuration; the argument of each method is a job's wildcards."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._config = plan, plan.config

    def corpus(self, w: Any) -> Files:
        """Return the corpus."""
        return {"corpus": self._plan.path("corpus", w.run)}

    def primitives(self, w: Any) -> Files:
        """Return the latent primitives of a source."""
        return {"primitives": self._plan.path("primitives", w.run, source=w.source)}

    def network_before(self, w: Any) -> Files:
        """Return the network of the previous module (before the first, the reservoir), and the latent primitives."""
        network = self._plan.path("reservoir", w.run, block=w.block)
        if int(w.module) > 1:
            network = self._plan.path("module", w.run, block=w.block, source=w.source, module=int(w.module) - 1)
        return {"network": network} | self.primitives(w)

    def pretrained(self, w: Any) -> Files:
        """Return the network that a head freezes: after the last module, or the bare reservoir."""
        return {"network": self._plan.pretrained(w.run, w.block, w.source)}

    def before_in_sequence(self, w: Any) -> Files:
        """Return the network after the previous task; there is none before the first task.

        Protection does not change the first task, so an unprotected network takes over the network of DNI after the
        first task, if there is one.
        """
        at = {"block": w.block, "kind": w.kind, "order": w.order}
        order = task_order(self._plan.runs[w.run], w.order)
        index = order.index(w.task)
        if index:
            return {"network": self._plan.path("sequence", w.run, **at, task=order[index - 1])}
        protected = w.kind.replace("sequential", "dni")
        if protected == w.kind or protected not in {*self._config.dni.kinds, *self._plan.runs[w.run].dni.kinds}:
            return {}
        same = self._plan.path("sequence", w.run, **at | {"kind": protected}, task=w.task)
        return {"same": same, "checkpoints": checkpoints_path(same), "record": record_path(same)}

    def own_file(self, w: Any) -> Files:
        """Return the user's file with a network."""
        return {"file": self._plan.runs[w.run].reservoirs.files[w.source]}

    def network_and_testset(self, w: Any) -> Files:
        """Return a trained network, and the test set of a task."""
        network = self._plan.network(w.run, w.block, w.kind, w.task)
        return {"network": network, "testset": self._plan.path("testset", w.run, task=w.task)}

    def sequence_and_testsets(self, w: Any) -> Files:
        """Return the network after each task of a sequence, by task, and all test sets."""
        at = {"block": w.block, "kind": w.kind, "order": w.order}
        order = task_order(self._plan.runs[w.run], w.order)
        files = {task: self._plan.path("sequence", w.run, **at, task=task) for task in order}
        return files | {f"testset_{task}": self._plan.path("testset", w.run, task=task) for task in order}

    def networks_and_validation(self, w: Any) -> Files:
        """Return the network after training on each task, its checkpoints, and the validation trials."""
        found: Files = {}
        for task in self._plan.runs[w.run].tasks.names:
            network = self._plan.network_after(w.run, w.block, w.kind, task)
            found |= {task: network, f"checkpoints_{task}": checkpoints_path(network)}
            found[f"validation_{task}"] = self._plan.path("validation", w.run, task=task)
        return found

    def checkpoints_and_validation(self, w: Any) -> Files:
        """Return the checkpoints of the separate networks of a task, and the validation trials."""
        network = self._plan.path("separate", w.run, block=w.block, task=w.task)
        validation = self._plan.path("validation", w.run, task=w.task)
        return {"checkpoints": checkpoints_path(network), "validation": validation}

    def searched(self, w: Any) -> Files:
        """Return the task's validation trials and, if the kind has any, the pre-trained modules of the same grid."""
        found = {"validation": self._plan.path("validation", w.run, task=w.task)}
        source = w.kind.removeprefix("molap-")
        if source in FITTED:
            found["modules"] = self._plan.path("search_modules", w.run, grid=w.grid, source=source)
        return found

    def validation_of_search(self, w: Any) -> Files:
        """Return the validation trials of every task that the search teaches in sequence with DNI."""
        tasks = self._config.tune.tasks
        return {f"validation_{task}": self._plan.path("validation", w.run, task=task) for task in tasks}

    def examples(self, w: Any) -> Files:
        """Return the tables of performance and training curves, and example trials by kind."""
        block, task = blocks(self._config)[0], self._config.figures.example_task
        return self.tables(w, ("performance", "curves")) | {
            kind: self._plan.path("example", w.run, block=block, kind=kind, task=task)
            for kind in example_kinds(self._config)
        }

    def lesioned_example(self, w: Any) -> Files:
        """Return the table of perturbed networks, and example trials of a lesioned network."""
        c = self._config
        at = {"block": blocks(c)[0], "kind": lesioned_kind(c), "task": lesion_task(c)}
        return self.tables(w, ("robustness",)) | {"example": self._plan.path("lesioned", w.run, **at)}

    def tables(self, w: Any, names: Iterable[str] | Mapping[str, str]) -> Files:
        """Return tables of the job's run, under their own names or the names that its program uses."""
        names = names if isinstance(names, Mapping) else {name: name for name in names}
        return {name: self._plan.path(table, w.run) for name, table in names.items()}

    def evaluations(self, w: Any) -> Files:
        """Return evaluations of all networks of a run, by `kind/task/block`."""
        return self._of_networks("evaluation", w.run, self._plan.collected_kinds(w.run))

    def _of_networks(self, stage: str, run: str, some_kinds: Iterable[str], tasks: Iterable[str] = ()) -> Files:
        c = self._plan.runs[run]
        return {
            f"{kind}/{task}/{block}": self._plan.path(stage, run, block=block, kind=kind, task=task)
            for kind in some_kinds
            for task in tasks or c.tasks.names
            for block in blocks(c)
        }

    def records(self, w: Any) -> Files:
        """Return records of all training jobs by `kind/stage/block`; a stage is `module1` …, `joint` or a task."""
        return self._records(w.run, blocks(self._plan.runs[w.run]))

    def records_of_a_block(self, w: Any) -> Files:
        """Return records of all training jobs of a run's first block of seeds."""
        return self._records(w.run, blocks(self._plan.runs[w.run])[:1])

    def _records(self, run: str, some_blocks: list[str]) -> Files:
        c, found = self._plan.runs[run], {}
        for kind in self._plan.collected_kinds(run):
            strategy, _, source = kind.partition("-")
            for block in some_blocks:
                if strategy == "joint":
                    found[f"{kind}/joint/{block}"] = self._plan.network_after(run, block, kind, "")
                    continue
                for module in range(1, c.network.n_modules + 1) if source in FITTED else ():
                    file = self._plan.path("module", run, block=block, source=source, module=module)
                    found[f"{kind}/module{module}/{block}"] = file
                for task in c.tasks.names:
                    found[f"{kind}/{task}/{block}"] = self._plan.network_after(run, block, kind, task)
        return {name: record_path(file) for name, file in found.items()}

    def fits(self, w: Any) -> Files:
        """Return latent primitives by source."""
        c = self._config
        return {source: self._plan.path("primitives", c.name, source=source) for source in fitted_sources(c)}

    def scores(self, w: Any) -> Files:
        """Return the scores of all networks that learn tasks in sequence, by `kind/order/block`."""
        return {
            f"{kind}/{order}/{block}": self._plan.path("scores", w.run, block=block, kind=kind, order=order)
            for kind in sequence_kinds(self._plan.runs[w.run])
            for order in range(self._config.dni.orders)
            for block in blocks(self._config)
        }

    def sweeps(self, w: Any) -> Files:
        """Return sweeps of all perturbed networks, by `kind/task/block`."""
        c = self._plan.runs[w.run]
        return self._of_networks("perturbation", w.run, perturbed_kinds(c), perturbed_tasks(c))

    def left_out_evaluations(self, w: Any) -> Files:
        """Return the evaluations of all tasks with the whole corpus, and of every left-out task of every chain.

        Their names are `tasks left out/kind/task/block`.
        """
        c = self._plan.runs[w.run]
        parts = {chain_name(()): self._of_networks("evaluation", w.run, molap_kinds(c))}
        fitted = [kind for kind in molap_kinds(c) if kind.removeprefix("molap-") in chain_sources(c)]
        for names in left_out_sets(c):
            parts[chain_name(names)] = self._of_networks("evaluation", chain_run(w.run, names), fitted, names)
        return {f"{left_out}/{name}": file for left_out, files in parts.items() for name, file in files.items()}

    def learned(self, w: Any) -> Files:
        """Return the table of counts, and scores during learning by `kind/block`."""
        c = self._config
        return {"counts": self._plan.path("counts", c.name)} | {
            f"{kind}/{block}": self._plan.path("learned", c.name, block=block, kind=kind)
            for kind in kinds(c)
            for block in blocks(c)
        }

    def numbers_of_modules(self, w: Any) -> Files:
        """Return the fits, and evaluations with every number of modules by `run/kind/task/block`."""
        c = self._config
        found = {source: self._plan.path("primitives", c.name, source=source) for source in module_fits(c)}
        for name in module_sizes(c):
            own = self._of_networks("evaluation", modules_run(c.name, name), module_kinds(c))
            found |= {f"{name}/{place}": file for place, file in own.items()}
        return found

    def switch_tables(self, w: Any) -> Files:
        """Return the tables that the followed claims need, by switch and name."""
        names = followed_tables(self._config, followed_claims(self._config))
        return {
            f"{switch}.{table}": self._plan.path(table, switch_run(w.run, switch))
            for switch in (NO_SWITCH, *self._config.attribution.switches)
            for table in names
        }

    def both_protocols(self, w: Any) -> Files:
        """Return the results on separate networks under both protocols, by protocol, task and block of seeds."""
        self.check_protocols()
        c = self._config
        return {
            f"{name}.{task}.{block}": self._plan.path("plateau", run, block=block, task=task)
            for name, run in {"now": c.name, "before": switch_run(c.name, FORMER)}.items()
            for task in plateau_tasks(c)
            for block in blocks(c)
        }

    def check_protocols(self) -> None:
        """Check that there is a switch to the former protocol.

        Raises:
            ConfigError: if there is none.
        """
        switches = self._config.attribution.switches
        if FORMER not in switches:
            among = ", ".join(switches) or "none"
            raise ConfigError(
                f"attribution.switches: {FORMER!r}, which `snakemake diagnose` needs, is not among them: {among}"
            )

    def search_tables(self, w: Any) -> Files:
        """Return the tables of every grid and kind, and of every task unless the kind learns tasks in sequence."""
        c, found = self._config, []
        for kind in c.tune.kinds:
            for grid in grids(c):
                if kind.partition("-")[0] in IN_SEQUENCE:
                    found.append(self._plan.path("search_sequence", c.name, grid=grid, kind=kind))
                else:
                    at = {"grid": grid, "kind": kind}
                    found += [self._plan.path("search", c.name, **at, task=task) for task in c.tune.tasks]
        return {f"table{i}": file for i, file in enumerate(found)}

    def in_turn(self, w: Any = None) -> Files:
        """Return the tables of the run and its baselines about networks that learn one task after another."""
        runs = {"continual": self._config.name, "baselines": baselines_run(self._config.name)}
        with_any = {name: run for name, run in runs.items() if sequence_kinds(self._plan.runs[run])}
        return {name: self._plan.path("continual", run) for name, run in with_any.items()}

    def baselines(self, w: Any) -> Files:
        """Return the tables of `in_turn`, and the table of the baselines' performance."""
        return self.in_turn() | {"performance": self._plan.path("performance", baselines_run(self._config.name))}
