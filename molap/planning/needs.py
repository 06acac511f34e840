"""What jobs ask for: memory (MB) and time (minutes), from the jobs that were measured (`workflow/resources.csv`)."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from molap.config.run import RunConfig
from molap.evaluation.sweep_memory import sweep_mb
from molap.planning.contents import n_units
from molap.planning.figures import FIGURES
from molap.planning.plan import Plan
from molap.storage.paths import block_seeds

Ask = Callable[[Any, int], int]
"""A function of a job's wildcards and the number of the attempt."""

LIKE = {
    "own_network": "reservoir",
    "validation": "testset",
    "plateau": "separate",
    "attribution": "claims",
}
"""Stages that were not measured, and those that they resemble; further tables and figures are as these two:"""
TABLE, FIGURE = "performance", "fig_learning"

SNAKEMAKE_MB, SNAKEMAKE_MINUTES = 400, 1
"""What Snakemake's own two processes take beside a job, on a node of a cluster."""

NETWORK_MB = 5
"""What a network of a search takes beside the job: with DNI, where it remembers covariances; others take 1 MB."""


class Needs:
    """What jobs of a configuration ask for; at every further attempt (a profile's `retries`) twice as much."""

    def __init__(self, plan: Plan, measured: Mapping[str, Mapping[str, str]]) -> None:
        self._plan, self._measured = plan, measured
        self._process_mb = min(float(row["memory_mb"]) for row in measured.values())

    def of(self, stage: str) -> dict[str, Ask]:
        """Return half as much memory again as the largest measured job took, and four times its time: cores differ.

        Every network seed of a block takes the time again, and the memory beyond a bare process.
        """
        row = self._measured.get(stage) or self._measured[LIKE.get(stage, FIGURE if stage in FIGURES else TABLE)]
        networks_mb = float(row["memory_mb"]) - self._process_mb
        return {
            "mem_mb": _asked(SNAKEMAKE_MB + 1.5 * self._process_mb, 1.5 * networks_mb),
            "runtime": _asked(SNAKEMAKE_MINUTES, 4 / 60 * float(row["cpu_s"])),
        }

    def of_sweep(self) -> dict[str, Ask]:
        """Return the resources of a sweep of perturbed networks, whose memory follows from its size."""

        def memory(wildcards: Any, attempt: int) -> int:
            c = self._plan.runs[wildcards.run]
            # State noise is drawn for the whole test set, of which a sweep uses the first trials.
            n_trials = c.evaluation.n_trials if c.network.state_noise else c.perturbations.n_trials
            return (sweep_mb(n_units(c, wildcards.kind), n_trials) + SNAKEMAKE_MB) * 2 ** (attempt - 1)

        return self.of("perturbation") | {"mem_mb": memory}

    def of_search(self, stage: str) -> dict[str, Ask]:
        """Return the resources of a stage of the search, from the measured job that trains one such network.

        The time of each network is in proportion to its steps and trials. On a GPU it takes far less, with
        `--set-resources` for instance.
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
        """Return what was measured of one network, how many networks there are, and how many times its time."""
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
    """Ask for what was measured, for every network seed of the block again, and for what is beside the networks."""

    def ask(wildcards: Any, attempt: int) -> int:
        n_seeds = len(block_seeds(wildcards.block)) if hasattr(wildcards, "block") else 1
        return math.ceil(beside + measured * n_seeds) * 2 ** (attempt - 1)

    return ask
