"""Cost of a DNI step against an unprotected step of the same network, in one run.

One thread, 200 trials, 110 steps, all weights of a shared network with rule inputs: milliseconds per step of
`molap.training.loop.train` without and with projected updates, measured in turn so that other work on the machine falls
on both; and the seconds that measuring the covariances and their eigendecompositions take, once per task.

    python benchmarks/dni_step.py
"""

import argparse
import time

import molap.stages  # noqa: F401  (one thread, before NumPy and JAX are loaded)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np

from molap.config.network import InitSettings
from molap.config.tasks import TASK_NAMES, TrialSettings
from molap.config.training import OptimiserSettings, PhaseSettings
from molap.networks.masks import all_weights
from molap.networks.rnn import run, stack_networks
from molap.networks.shared import Layout, add_channels, all_inputs, new_network, view
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.dni import Projections, empty_memory, project_updates, projections, remember_task
from molap.training.loop import Protection, Recipe, Watch, train
from molap.training.objectives import task_objective

CHUNK = 10


def main() -> None:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    tasks, settings = load_tasks(), TrialSettings()
    task, phase = tasks["multi_mem"], PhaseSettings(learning_rate=3e-3, n_steps=2 * CHUNK)
    print("   N   plain   DNI (ms per step)   ratio   once per task: covariances, projections (s)")
    for n_units in arguments.units:
        layout, network = Layout(), new_network(0, n_units, 1.5, InitSettings())
        for name in TASK_NAMES:
            network = add_channels(network, layout, tasks[name], True, 0, InitSettings())
            layout = layout.with_task(tasks[name], True)

        start = time.perf_counter()
        inputs = draw_trials(task, jax.random.key(0), 500, settings).inputs
        rates = np.asarray(run(view(network, layout, task), inputs)[1])
        empty = empty_memory(len(layout.inputs), n_units, len(layout.outputs))
        weights = np.hstack([network.w_in, network.w_rec])
        outputs = rates @ np.asarray(network.w_out).T
        memory = remember_task(empty, np.asarray(all_inputs(layout, task, inputs)), rates, outputs, weights)
        between = time.perf_counter()
        protect = projections(memory, len(layout.inputs), 1e-3)
        once = between - start, time.perf_counter() - between

        def step_ms(protection, network=network, layout=layout) -> float:
            moments = []
            train(
                stack_networks([network]),
                all_weights(network),
                lambda key: draw_trials(task, key, 200, settings)[:2],
                jnp.stack([jax.random.key(0)]),
                Recipe(phase, OptimiserSettings(), task_objective(phase, view=lambda n: view(n, layout, task))),
                Watch(lambda step, mse: moments.append(time.perf_counter()), chunk=CHUNK),
                protection,
            )
            return 1e3 * (moments[-1] - moments[-2]) / CHUNK

        stacked = Protection(project_updates, Projections(*(matrix[None] for matrix in protect)))
        times = np.array([(step_ms(None), step_ms(stacked)) for _ in range(arguments.repeats)])
        plain, protected = np.median(times, axis=0)
        ratio = np.median(times[:, 1] / times[:, 0])
        print(f"{n_units:4}{plain:8.1f}{protected:6.1f}{ratio:20.2f}{once[0]:25.2f}{once[1]:12.2f}", flush=True)


if __name__ == "__main__":
    main()
