"""Memory (MB) and time (minutes) that jobs request, based on measured jobs (`workflow/resources.csv`)."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from molap.config.run import RunConfig
from molap.evaluation.sweep_memory import sweep_mb
from molap.planning.contents import n_units, task_shape
from molap.planning.figures import FIGURES
from molap.planning.plan import Plan
from molap.storage.paths import block_seeds

Ask = Callable[[Any, int], int]
"""(wildcards of a job, number of the attempt) → amount of a resource."""

LIKE = {
    "own_network": "reservoir",
    "validation": "testset",
    "plateau": "separate",
    "attribution": "claims",
    "article": "fig2",
}
"""Stages that were not measured, and the stages that they resemble; other tables and figures resemble these two:"""
TABLE, FIGURE = "performance", "fig_learning"

SNAKEMAKE_MB, SNAKEMAKE_MINUTES = 400, 1
"""Memory and time of Snakemake's own two processes beside a job, on a node of a cluster."""

NETWORK_MB = 5
"""Memory of each network of a search beside the job: with DNI, which stores covariances; other networks take 1 MB."""


class Needs:
    """Resources that a configuration's jobs request; each further attempt (a profile's `retries`) doubles them."""

    def __init__(self, plan: Plan, measured: Mapping[str, Mapping[str, str]]) -> None:
        self._plan, self._measured = plan, measured
        self._process_mb = min(float(row["memory_mb"]) for row in measured.values())

    def of(self, stage: str) -> dict[str, Ask]:
        """Return the resources of a stage: 1.5 times the memory of the largest measured job, and 4 times its CPU time.

        The margin in time allows for slower cores. Each network seed of a block adds the time again, and the memory
        beyond that of a bare process.
        """
        row = self._measured.get(stage) or self._measured[LIKE.get(stage, FIGURE if stage in FIGURES else TABLE)]
        networks_mb = float(row["memory_mb"]) - self._process_mb
        return {
            "mem_mb": _asked(SNAKEMAKE_MB + 1.5 * self._process_mb, 1.5 * networks_mb),
            "runtime": _asked(SNAKEMAKE_MINUTES, 4 / 60 * float(row["cpu_s"])),
        }

    def of_sweep(self) -> dict[str, Ask]:
        """Return the resources of a sweep of perturbed networks, whose memory depends on its size."""

        def memory(wildcards: Any, attempt: int) -> int:
            c = self._plan.runs[wildcards.run]
            # The state noise is drawn for the whole test set; a sweep uses its first trials.
            shape = task_shape(c, wildcards.task)
            n_trials = c.evaluation.n_trials if c.network.state_noise else c.perturbations.n_trials
            return (
                sweep_mb(n_units(c, wildcards.kind), n_trials, shape.n_steps, shape.n_channels) + SNAKEMAKE_MB
            ) * 2 ** (attempt - 1)

        return self.of("perturbation") | {"mem_mb": memory}

    def of_search(self, stage: str) -> dict[str, Ask]:
        """Return the resources of a stage of the search, based on the measured job that trains one such network.

        The time of each network is proportional to its steps and trials. On a GPU it takes far less; lower it with
        `--set-resources`, for instance.
        """

        def memory(wildcards: Any, attempt: int) -> int:
            row, n_networks, _ = self._searched(stage, wildcards)
            needed = 1.5 * (float(row["memory_mb"]) + NETWORK_MB * n_networks)
            return (SNAKEMAKE_MB + math.ceil(needed)) * 2 ** (attempt - 1)

        def minutes(wildcards: Any, attempt: int) -> int:
            row, _, runs = self._searched(stage, wildcards)
            return (SNAKEMAKE_MINUTES + math.ceil(4 / 60 * float(row["cpu_s"]) * max(1, runs))) * 2 ** (attempt - 1)

        return {"mem_mb": memory, "runtime": minutes}

    def _searched(self, stage: str, wildcards: Any) -> tuple[Mapping[str, str], int, float]:
        """Return the measured row of one network, the number of networks, and the factor on the measured time."""
        s, preset = json.loads(self._plan.settings(stage, **wildcards)), RunConfig()
        trained_as = {
            "search_modules": ("module", preset.pretraining),
            "molap": ("head", preset.heads),
            "separate": ("separate", preset.separate),
            "search_sequence": ("sequence", preset.dni),
        }
        like, phase = trained_as[stage if stage in trained_as else s["kind"].partition("-")[0]]
        repeats = s["n_modules"] if stage == "search_modules" else len(s.get("tasks", (stage,)))
        trials = sum(candidate["n_steps"] * candidate["batch_size"] for candidate in s["candidates"])
        runs = len(s["seeds"]) * repeats * trials / (phase.n_steps * phase.batch_size)
        return self._measured[like], len(s["seeds"]) * len(s["candidates"]), runs


def _asked(beside: float, measured: float) -> Ask:
    """Return a function that requests `beside`, plus `measured` for each network seed of the block."""

    def ask(wildcards: Any, attempt: int) -> int:
        n_seeds = len(block_seeds(wildcards.block)) if hasattr(wildcards, "block") else 1
        return math.ceil(beside + measured * n_seeds) * 2 ** (attempt - 1)

    return ask
