"""MoLaP from Python, without the workflow: the same stages, run one after the other in this process."""

import contextlib
import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import molap.jobs.fixed  # noqa: F401  (before NumPy and JAX are loaded)

# isort: split
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from molap.config.base import ConfigError, check
from molap.config.run import parse_config
from molap.jobs.job import Job
from molap.jobs.surroundings import held
from molap.networks.rnn import from_arrays, run, select_network
from molap.opened.assembling import network_of, trials_of
from molap.opened.network import Network
from molap.planning.contents import blocks
from molap.planning.outputs import path
from molap.planning.plan import Plan
from molap.storage.files import load_arrays
from molap.storage.paths import block_seeds


class Trained(NamedTuple):
    """The networks of a task, one for each network seed."""

    weights: dict[str, Float[np.ndarray, "seed ..."]]
    """`w_in`, `w_rec`, `w_out`, and biases if there are any."""
    scores: list[dict]
    """Accuracy and the other metrics on the test set, by network seed."""
    networks: list[Network]
    """The same networks, by network seed, each with its test set, ready to respond, be scored and be perturbed."""

    def outputs(
        self, inputs: Float[np.ndarray, "time trial channel"], seed: int = 0
    ) -> Float[np.ndarray, "time trial output"]:
        """Return the outputs of the network of one seed (by its index) on trials, without state noise."""
        return np.asarray(run(select_network(from_arrays(self.weights), seed), jnp.asarray(inputs))[0])


class Stages:
    """Runs the stages of the first block of network seeds in this process; their files are in `folder`."""

    def __init__(self, config: dict, folder: str) -> None:
        tasks = config.get("tasks")
        names = tasks.get("names") if isinstance(tasks, dict) else None
        if isinstance(names, list | tuple) and names and "figures" not in config:  # there are no figures here
            config = config | {"figures": {"example_task": names[0]}}
        self.config = parse_config(config)
        self.plan = Plan(self.config)
        self.run, self.block = self.config.name, blocks(self.config)[0]
        self._folder = Path(folder)

    def make(self, stage: str, output: str, inputs: dict[str, str] | None = None, **wildcards: object) -> str:
        """Run a stage, and return the path of the file that it makes."""
        program = importlib.import_module(f"molap.stages.{stage}")
        settings = self.plan.settings(stage, self.run, **wildcards)
        file = str(self._folder / path(stage, self.run, **wildcards))
        job = Job(
            stage,
            check(program.Settings, json.loads(settings)),
            inputs or {},
            {output: file},
            self.plan.code(stage, stage, self.run, **wildcards),
        )
        program.work(job)
        return file

    def pretrained(self, source: str) -> str:
        """Return the network that the heads freeze."""
        network = self.make("reservoir", "arrays", block=self.block)
        if source == "none":
            return network
        corpus = self.make("corpus", "arrays")
        primitives = self.make("primitives", "arrays", {"corpus": corpus}, source=source)
        for module in range(1, self.config.network.n_modules + 1):
            inputs = {"network": network, "primitives": primitives}
            network = self.make("module", "arrays", inputs, source=source, module=module, block=self.block)
        return network

    def head(self, network: str, source: str, task: str) -> Trained:
        """Train a task's input and readout weights on a network, and return them with their scores."""
        at = {"block": self.block, "task": task}
        head = self.make("head", "arrays", {"network": network}, source=source, **at)
        testset = self.make("testset", "arrays", task=task)
        inputs = {"network": head, "testset": testset}
        rows = self.make("evaluation", "rows", inputs, kind=f"molap-{source}", **at)
        scores = json.loads(Path(rows).read_text(encoding="utf-8"))
        arrays, kind = load_arrays(head), f"molap-{source}"
        trials = trials_of(self.config, task, load_arrays(testset))
        networks = [
            network_of(self.plan, (self.block, kind, task), seed, arrays, lambda: trials)
            for seed in block_seeds(self.block)
        ]
        return Trained({name: value for name, value in arrays.items() if name != "seeds"}, scores, networks)


def train(config: dict, source: str = "cca", progress: bool = False) -> dict[str, Trained]:
    """Pre-train the modules on a corpus, and train a head for each of its tasks.

    The networks equal those that the workflow trains with the same configuration, bit for bit on one machine. To that
    end, JAX's settings and numbers of threads are held at the workflow's while this runs. Import this module before
    JAX computes anything.

    Args:
        config: the differences from the preset `paper`, as in a configuration file (see `config/README.md`); only the
            first block of network seeds is trained.
        source: the source on which the modules are pre-trained: `cca`, `pca`, or `none` for a random reservoir.
        progress: whether to print the progress of training to standard error.

    Raises:
        ConfigError: with one line for each field of the configuration that is refused, or for a setting of the
            process that would change the numbers and cannot be fixed any more.
    """
    if source not in ("cca", "pca", "none"):
        raise ConfigError(f"source: {source!r} is not allowed; allowed: cca, pca, none")
    quiet = contextlib.redirect_stdout(sys.stderr if progress else None)
    with held(), tempfile.TemporaryDirectory() as folder, quiet:
        stages = Stages(config, folder)
        network = stages.pretrained(source)
        return {task: stages.head(network, source, task) for task in stages.config.tasks.names}
