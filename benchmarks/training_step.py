"""Cost of a training step against the floor of its matrix products, in one run.

For N units, 200 trials and 110 steps, on one thread, in milliseconds and as ratios to the floor:

- floor: the products alone with NumPy's sgemm — two per step of the trial (forward, backward) where the recurrence
  is frozen, and one large product for the gradient of W_rec where all weights are trained;
- recurrence: loss and gradient of our network on a given batch, as in a scanned training;
- whole step: the same plus drawing the trials and the optimiser, as `molap.training.train` runs it;
- plain autodiff: as recurrence, with the gradient that JAX derives through the scan.

    python benchmarks/training_step.py
"""

import argparse
import time
from functools import partial

import molap.stages  # noqa: F401  (one thread, before NumPy and JAX are loaded)

# isort: split
import jax
import jax.numpy as jnp
import numpy as np

from molap.config.network import InitSettings
from molap.config.tasks import TrialSettings
from molap.config.training import HeadSettings, OptimiserSettings
from molap.modules import all_weights, head_weights
from molap.network import draw_params, draw_w_rec, respond, stack_networks
from molap.randomness import named_key
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.tasks.trial import N_STEPS
from molap.training import train

N_TRIALS, CHUNK = 200, 20


def milliseconds(function, repeats: int) -> float:
    """Median time of a call, after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


def floor(n_units: int, all_trained: bool, repeats: int) -> float:
    """The products alone."""
    generator = np.random.default_rng(0)
    h = generator.standard_normal((N_TRIALS, n_units), np.float32)
    w = generator.standard_normal((n_units, n_units), np.float32)
    states = generator.standard_normal((N_STEPS * N_TRIALS, n_units), np.float32)

    def products():
        for _ in range(2 * N_STEPS):
            h @ w
        if all_trained:
            states.T @ states

    return milliseconds(products, repeats)


def plain_run(params, inputs):
    """The network with the gradient that JAX derives."""

    def step(h, x):
        h = jnp.tanh(x @ params.w_in.T + h @ params.w_rec.T)
        return h, h

    start = jnp.zeros((inputs.shape[1], params.w_rec.shape[0]))
    _, h = jax.lax.scan(step, start, inputs)
    return h @ params.w_out.T, jnp.mean(h**2)


def gradient_step(run_network, params, trainable, batch, repeats: int) -> float:
    """Loss and gradient on one batch, scanned."""
    names = [name for name, mask in trainable._asdict().items() if mask is True]

    def objective(trained, inputs, targets):
        outputs, activity = run_network(params._replace(**trained), inputs)
        return jnp.mean((outputs - targets) ** 2) + 1e-7 * activity

    @jax.jit
    def steps(trained, inputs, targets):
        def step(trained, _):
            value, gradient = jax.value_and_grad(objective)(trained, inputs, targets)
            return jax.tree.map(lambda w, g: w - 1e-4 * g, trained, gradient), value

        return jax.lax.scan(step, trained, length=CHUNK)

    trained = {name: getattr(params, name) for name in names}
    return milliseconds(lambda: jax.block_until_ready(steps(trained, *batch)), repeats) / CHUNK


def whole_step(params, trainable, draw, repeats: int) -> float:
    """A step of `train`, from the times between its reports of progress."""
    moments = []
    train(
        stack_networks([params]),
        trainable,
        draw,
        jnp.stack([jax.random.key(0)]),
        HeadSettings(n_steps=CHUNK * (repeats + 1)),
        OptimiserSettings(),
        progress=lambda step, mse: moments.append(time.perf_counter()),
        chunk=CHUNK,
    )
    return 1e3 * float(np.median(np.diff(moments))) / CHUNK


def main() -> None:
    """Print one line per size and phase."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    task, settings = load_tasks()["mem_pro"], TrialSettings()

    def draw(key):
        trials = draw_trials(task, key, N_TRIALS, settings)
        return trials.inputs, trials.targets

    print("   N  trained          floor   recurrence      whole step   plain autodiff   (ms per step, × floor)")
    for n_units in arguments.units:
        params = draw_params(0, draw_w_rec(0, n_units, 1.5), 3, 3, task.name, InitSettings())
        batch = jax.block_until_ready(draw(named_key(0, "benchmark")))
        for name, trainable in (("heads", head_weights(params)), ("all weights", all_weights(params))):
            measure = partial(gradient_step, params=params, trainable=trainable, batch=batch, repeats=arguments.repeats)
            base = floor(n_units, name != "heads", arguments.repeats)
            values = measure(respond), whole_step(params, trainable, draw, arguments.repeats), measure(plain_run)
            # The floor is measured before and after, because other work on the machine may come and go.
            base = (base + floor(n_units, name != "heads", arguments.repeats)) / 2
            cells = "   ".join(f"{value:6.1f} ({value / base:4.2f}×)" for value in values)
            print(f"{n_units:4}  {name:12}  {base:8.1f}   {cells}", flush=True)


if __name__ == "__main__":
    main()
