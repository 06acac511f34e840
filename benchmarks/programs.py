"""Programs that a job of each kind compiles, and its peak memory, with nothing compiled before.

    python benchmarks/programs.py
    python benchmarks/programs.py --config tests/tiny.yaml

Jobs have the sizes of a configuration, and train for a few steps only: neither number depends on them. Each is a fork
of this process, which has imported what the workflow's server of forks imports.
"""

import argparse
import gc
import importlib
import json
import os
import sys
import tempfile

os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"

import molap.stages  # noqa: F401  (one thread, before NumPy and JAX are loaded)

# isort: split
import jax
import yaml

from molap.interface import Stages
from molap.jobs.forks import IMPORTED
from molap.planning.contents import task_order
from molap.storage.record import Clock

COMPILED = "/jax/core/compile/backend_compile_duration"
PHASES = ("pretraining", "heads", "separate", "dni")


class Jobs:
    """Runs jobs one after the other, and prints a line for each."""

    def __init__(self, config: dict, folder: str) -> None:
        self._stages = Stages(config, folder)
        self.config = self._stages.config
        self.block = self._stages.block

    def run(self, stage: str, output: str = "arrays", inputs: dict[str, str] | None = None, **wildcards) -> str:
        """Run a job in a fork, print what it took, and return the file that it made."""
        read, write = os.pipe()
        if os.fork() == 0:
            programs = []
            jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: programs.append(event))
            status = 1
            try:
                sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (of the fork alone)
                file = self._stages.make(stage, output, inputs, **wildcards)
                found = {"file": file, "programs": programs.count(COMPILED)} | Clock().read()
                os.write(write, json.dumps(found).encode())
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read) as pipe:
            text = pipe.read()
        os.wait()
        if not text:
            sys.exit(f"{stage} failed")
        found = json.loads(text)
        task = wildcards.get("task", "")
        print(f"{stage:12} {task:16}{found['programs']:8}{found['peak_memory_mb']:12.0f}", flush=True)
        return found["file"]


def main() -> None:
    """Print one line per job."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--config", default="config/paper.yaml", metavar="FILE")
    parser.add_argument("--steps", type=int, default=20, help="of training")
    arguments = parser.parse_args()
    with open(arguments.config, encoding="utf-8") as file:
        config = yaml.safe_load(file) or {}
    config |= {phase: config.get(phase, {}) | {"n_steps": arguments.steps} for phase in PHASES}
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    print("job          task            programs  memory (MB)")
    with tempfile.TemporaryDirectory() as folder:
        _run_all(Jobs(config, folder))


def _run_all(jobs: Jobs) -> None:
    order, at, testsets = task_order(jobs.config, 0), {"block": jobs.block}, {}
    corpus = jobs.run("corpus")
    primitives = jobs.run("primitives", inputs={"corpus": corpus}, source="cca")
    for task in order:
        testsets[task] = jobs.run("testset", task=task)
    network = jobs.run("reservoir", **at)
    for module in range(1, jobs.config.network.n_modules + 1):
        inputs = {"network": network, "primitives": primitives}
        network = jobs.run("module", inputs=inputs, source="cca", module=module, **at)
    head = jobs.run("head", inputs={"network": network}, source="cca", task=task, **at)
    jobs.run("separate", task=task, **at)
    for stage, output in (("evaluation", "rows"), ("perturbation", "table")):
        inputs = {"network": head, "testset": testsets[task]}
        jobs.run(stage, output, inputs, kind="molap-cca", task=task, **at)
    learned, at = {}, at | {"kind": "dni-rule", "order": 0}
    for before, task in zip([None, *order], order, strict=False):
        inputs = {"network": learned[before]} if before else {}
        learned[task] = jobs.run("sequence", inputs=inputs, task=task, **at)
    inputs = learned | {f"testset_{task}": file for task, file in testsets.items()}
    jobs.run("scores", "rows", inputs, **at)


if __name__ == "__main__":
    main()
