"""Cost of a training step beside other libraries, and above the floor of its matrix products, in one run.

    python benchmarks/training_step.py
    pip install flax torch && python benchmarks/training_step.py      # with these two as well

N units, 200 trials, 110 steps, one thread; milliseconds, and as ratios to the floor. The rivals take turns, so
that a slow moment of the machine meets all alike.

- floor: the matrix products of a step alone, in NumPy's sgemm;
- ours: a step of `molap.training.loop.train`, with drawing the trials and the optimiser;
- the others: both passes and Adam on one given batch, without drawing it.
"""

import argparse
import time
from collections.abc import Callable

import molap.stages  # noqa: F401  (one thread, before NumPy and JAX are loaded)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np
import peers

from molap.config.network import InitSettings
from molap.config.tasks import TrialSettings
from molap.config.training import HeadSettings, OptimiserSettings
from molap.networks.masks import all_weights, head_weights
from molap.networks.rnn import Params, draw_params, draw_w_rec, stack_networks
from molap.randomness import named_key
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.loop import Recipe, Watch, train

N_TRIALS, CHUNK = 200, 20


def ours(params: Params, draw: Callable, all_trained: bool, n_seeds: int = 1) -> tuple[Callable[[], float], int]:
    """Train as a stage does; a call returns the seconds of some steps, without those of compiling."""
    trainable = (all_weights if all_trained else head_weights)(params)

    def steps() -> float:
        moments = []
        train(
            stack_networks([params] * n_seeds),
            trainable,
            draw,
            jnp.stack([jax.random.key(seed) for seed in range(n_seeds)]),
            Recipe(HeadSettings(n_steps=2 * CHUNK), OptimiserSettings()),
            Watch(lambda step, mse: moments.append(time.perf_counter()), chunk=CHUNK),
        )
        return float(np.diff(moments)[0])

    return steps, CHUNK


def rivals(params: Params, batch, all_trained: bool) -> tuple[dict[str, tuple[Callable, int]], dict[str, str]]:
    """Return what is compared with ours, and why something is not."""
    n_units, found, missing = len(params.w_rec), {}, {}
    makers = {
        "floor": lambda: peers.floor(params, batch, all_trained),
        "plain autodiff": lambda: peers.scanned(peers.plain, params, batch, all_trained, CHUNK),
        "flax nn.RNN": lambda: peers.scanned(peers.flax_rnn(n_units), params, batch, all_trained, CHUNK),
        "NumPy by hand": lambda: peers.numpy_by_hand(params, batch, all_trained),
        "PyTorch nn.RNN": lambda: peers.torch_rnn(params, batch, all_trained),
    }
    for name, make in makers.items():
        try:
            found[name] = make()
        except ImportError as error:
            missing[name] = str(error)
    return found, missing


def drawing(n_trials: int) -> Callable:
    """Return what draws the trials of a batch."""
    task, settings = load_tasks()["mem_pro"], TrialSettings()

    def draw(key):
        trials = draw_trials(task, key, n_trials, settings)
        return trials.inputs, trials.targets

    return draw


def network(n_units: int) -> Params:
    """Return a network for that task."""
    return draw_params(0, draw_w_rec(0, n_units, 1.5), 3, 3, "mem_pro", InitSettings(readout_init="n_units"))


def in_turn(compared: dict[str, tuple[Callable, int]], repeats: int) -> dict[str, float]:
    """Return the median milliseconds of a step; the first round, which compiles, does not count.

    A function that returns a float has measured its seconds itself.
    """
    times: dict[str, list[float]] = {name: [] for name in compared}
    for _ in range(repeats + 1):
        for name, (function, n_steps) in compared.items():
            start = time.perf_counter()
            seconds = function()
            seconds = seconds if isinstance(seconds, float) else time.perf_counter() - start
            times[name].append(1e3 * seconds / n_steps)
    return {name: float(np.median(values[1:])) for name, values in times.items()}


def main() -> None:
    """Print a table: a row for each rival, a column for each size and phase."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    draw, columns = drawing(N_TRIALS), {}
    batch = jax.block_until_ready(draw(named_key(0, "benchmark")))
    for n_units in arguments.units:
        params = network(n_units)
        for name, all_trained in (("heads", False), ("all weights", True)):
            others, missing = rivals(params, batch, all_trained)
            compared = {"ours": ours(params, draw, all_trained)} | others
            columns[f"{name}, N = {n_units}"] = in_turn(compared, arguments.repeats)
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for row in columns[next(iter(columns))]:
        cells = [f"{times[row]:.1f} ({times[row] / times['floor']:.2f})" for times in columns.values()]
        print(f"| {row} | " + " | ".join(cells) + " |")
    for name, reason in missing.items():
        print(f"{name} was left out: {reason}")


if __name__ == "__main__":
    main()
