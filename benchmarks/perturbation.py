"""Evaluations of perturbed networks per second against the floor of their matrix products, in one run.

One evaluation is one perturbed network on one trial set (T9, 110 steps). Per size, on one thread, in milliseconds:

- floor: the products of the recurrence alone, with NumPy's sgemm;
- network: the run of the network that has its weights already;
- whole: what a sweep does for each evaluation: drawing and applying the perturbation, the run, and every metric, as a
  mean over all perturbations of the default configuration;
- plain: `lax.map` over the draws of the run that keeps all rates, with weights given.

    python benchmarks/perturbation.py
"""

import argparse
import itertools
import time

import molap.stages  # noqa: F401  (one thread, before NumPy and JAX are loaded)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np

from molap.config.evaluation import CriterionSettings
from molap.config.network import InitSettings
from molap.config.perturbations import PerturbationReadings
from molap.config.run import RunConfig
from molap.config.tasks import TrialSettings
from molap.evaluation.criterion import metrics
from molap.evaluation.perturbations import module_of
from molap.evaluation.sweep import Perturbed, outputs, perturb, perturbation_key, run_many
from molap.networks.rnn import draw_params, draw_w_rec, run
from molap.planning.contents import sweep
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks

READINGS, CRITERION, TASK = PerturbationReadings(), CriterionSettings(), load_tasks()["multi_mem"]


@jax.jit
def keeping_rates(weights, network, inputs):
    """`lax.map` over draws, the plain way."""
    return jax.lax.map(lambda w: run(network._replace(w_rec=w), inputs)[0], weights)


def measure(n_units: int, n_trials: int, repeats: int, strengths: dict[str, tuple[float, ...]]) -> np.ndarray:
    """Seconds per evaluation: (repeat, part) for floor, network, whole and plain."""
    trials = draw_trials(TASK, jax.random.key(0), n_trials, TrialSettings())
    inputs, targets = np.asarray(trials.inputs), np.asarray(trials.targets)
    network = draw_params(0, draw_w_rec(0, n_units, 1.5), 3, 2, "task", InitSettings())
    n = sum(map(len, strengths.values()))
    keys = {name: perturbation_key(0, name, 0) for name in strengths}
    transposed, h, out = np.asarray(network.w_rec).T, *(np.ones((n_trials, n_units), np.float32) for _ in range(2))
    several, draws = jnp.stack([network.w_rec] * n), itertools.count()

    def floor():
        for _ in range(n * len(inputs)):
            np.matmul(h, transposed, out=out)

    def bare():
        for _ in range(n):
            np.asarray(outputs(network, inputs))

    def whole():
        draw = next(draws)
        for name, values in strengths.items():
            found = perturb(keys[name], draw, network, name, values, READINGS, module_of(n_units, 2))
            items = [Perturbed(s, draw, hit, p) for s, (p, hit) in zip(values, found, strict=True)]
            for _, y in run_many(items, inputs, None):
                metrics(y, targets, CRITERION)

    def plain():
        keeping_rates(several, network, inputs).block_until_ready()

    parts, times = (floor, bare, whole, plain), []
    for _ in range(repeats + 1):  # the first, which compiles, is not counted
        times.append([])
        for part in parts:
            start = time.perf_counter()
            part()
            times[-1].append((time.perf_counter() - start) / n)
    return np.array(times[1:])


def main() -> None:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--trials", type=int, default=250)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    strengths = {name: tuple(values) for name, values in sweep(RunConfig()).items()}
    print(f"{arguments.trials} trials; ms per evaluation (ratio to the floor)")
    print("   N    floor    network          whole          plain     evaluations per second")
    for n_units in arguments.units:
        times = measure(n_units, arguments.trials, arguments.repeats, strengths)
        ms = 1e3 * np.median(times, axis=0)
        ratio = np.median(times / times[:, :1], axis=0)
        shown = "".join(f"{a:9.1f} ({b:.2f})" for a, b in zip(ms[1:], ratio[1:], strict=True))
        print(f"{n_units:4}{ms[0]:9.1f}{shown}{1e3 / ms[2]:19.0f}", flush=True)


if __name__ == "__main__":
    main()
