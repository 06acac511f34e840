"""The training loop: many steps in one compiled program, with network seeds as the leading axis."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int, Key

from molap.config.training import OptimiserSettings, PhaseSettings
from molap.networks.masks import Trainable
from molap.networks.rnn import Params, over_seeds
from molap.training.objectives import Objective, task_objective
from molap.training.optimiser import Scalar, make_optimiser

DrawBatch = Callable[[Key[Array, ""]], Any]
"""Key → a batch in the form that the objective takes: by default, inputs and targets of one task."""


BATCHES_MB = {"cpu": 16, "gpu": 1000}
"""How many megabytes of batches are drawn at a time, by backend; a GPU's calls are short, and its memory is large."""


class Curves(NamedTuple):
    """Training curves over steps, one row per network seed."""

    loss: Float[np.ndarray, "seed step"]
    """The total loss, including penalties."""
    mse: Float[np.ndarray, "seed step"]


Weights = dict[str, Float[Array | np.ndarray, "seed ..."]]
"""The weights that a phase trains, by name, with a leading axis of network seeds."""


class Varied(NamedTuple):
    """Numbers that may differ among networks trained together, as the candidates of a search are: one per network."""

    learning_rate: Float[Array | np.ndarray, " seed"]
    clip_norm: Float[Array | np.ndarray, " seed"]
    """Infinite for no clipping."""
    recurrent_rate: Float[Array | np.ndarray, " seed"]
    """Factor on the learning rate of W_rec."""
    readout_rate: Float[Array | np.ndarray, " seed"]
    """Factor on the learning rate of W_out."""


class Recipe(NamedTuple):
    """Describe how networks are trained."""

    phase: PhaseSettings
    """Learning rate, steps and penalties."""
    optimiser: OptimiserSettings
    """The choices common to all phases."""
    objective: Objective | None = None
    """The objective to minimise; if None, the loss on a batch of the task, without state noise."""


class Watch(NamedTuple):
    """Callbacks that follow training while it runs, without changing its results."""

    progress: Callable[[int, float], None] = lambda step, mse: None
    """Called after every `chunk` steps with the steps done and the mean MSE of the last one."""
    keep: Callable[[int, Weights], None] | None = None
    """Called at each of `checkpoints` with the steps done and the weights at that step."""
    chunk: int = 100
    """Largest number of steps per call of the compiled program, and the number of steps from one report to the next."""


class Protection(NamedTuple):
    """Change updates so that they protect previous tasks."""

    transformation: Callable[[Any], optax.GradientTransformation]
    """A function of `own` that keeps it in its state (`molap.training.dni`)."""
    own: Any
    """The values that each seed has of its own, stacked over seeds."""
    of_gradient: bool = False
    """Project the gradient before Adam (released code), instead of the update."""


class NotFinite(FloatingPointError):
    """Raised when training diverges; `index` is the index of the network within the job."""

    def __init__(
        self, what: str, index: int, advice: str = "a lower learning rate or a smaller clip_norm may help"
    ) -> None:
        self.index = index
        super().__init__(f"{what} (network {index} of this job); {advice}")


class _State(NamedTuple):
    trained: dict[str, Array | np.ndarray]
    optimiser: optax.OptState
    step: Int[Array | np.ndarray, "*seed"]


def checkpoints(n_steps: int) -> tuple[int, ...]:
    """Return the steps at which learning is examined: 0, 1, 2, 5, 10, 20, 50, … and the last step."""
    series = (factor * 10**power for power in range(len(str(n_steps))) for factor in (1, 2, 5))
    return (0, *(step for step in series if step < n_steps), n_steps)


def train(
    params: Params,
    trainable: Trainable,
    draw_batch: DrawBatch,
    keys: Key[Array, " seed"],
    recipe: Recipe,
    watch: Watch | None = None,
    protection: Protection | None = None,
    varied: Varied | None = None,
    strict: bool = True,
) -> tuple[Params, Curves]:
    """Train networks that differ only in their seed and in the values of `varied`.

    Args:
        params: initial weights, with a leading axis of network seeds.
        trainable: the weights that the phase may change, the same for all seeds; the others stay bit-identical.
        draw_batch: key → inputs (time, trial, channel) and targets (time, trial, output). The arrays that a
            `jax.tree_util.Partial` binds are arguments of the compiled program, not constants in it.
        keys: one key per seed; step k draws its batch from `fold_in(key, k)`, or always from
            `fold_in(key, 0)` if the optimiser's `batches` is `frozen`.
        recipe: the phase, the optimiser, and the objective.
        watch: callbacks that follow the training.
        protection: how previous tasks are protected; if None, they are not.
        varied: for each network, the values that replace the phase's learning rate and factors and the optimiser's
            `clip_norm`; they are arguments of the compiled program.
        strict: whether training stops when the loss of a network is no longer finite; otherwise the other networks
            continue.

    Returns:
        The trained weights as NumPy arrays, and the loss and MSE at every step (on the batch of that step, before its
        update).

    Raises:
        NotFinite: with `strict`, if the loss is not finite; the message gives the step and the index of the seed.
    """
    phase, optimiser, objective = recipe
    progress, keep, chunk = watch or Watch()
    if phase.n_stages is not None:
        optimiser = optimiser.model_copy(update={"n_stages": phase.n_stages})
    masks = {name: mask for name, mask in trainable._asdict().items() if mask is not None and mask is not False}
    partly = {name: np.asarray(mask, np.float32) for name, mask in masks.items() if mask is not True}
    objective = objective or task_objective(phase)
    protect, own, of_gradient = protection or Protection(lambda _: optax.identity(), None)

    varied = varied and Varied(*(np.asarray(values, np.float32) for values in varied))

    def optimiser_of(own, partly, one: Varied | None) -> optax.GradientTransformation:
        rate: Scalar = phase.learning_rate
        factors: Mapping[str, Scalar] = phase.rate_factors
        clip_norm = None
        if one is not None:
            rate, clip_norm = one.learning_rate, one.clip_norm
            factors = {"w_rec": one.recurrent_rate, "w_out": one.readout_rate}
        return make_optimiser(
            rate,
            phase.n_steps,
            optimiser,
            masks | partly,
            before_adam=protect(own) if of_gradient else None,
            last=None if of_gradient else protect(own),
            factors=factors,
            clip_norm=clip_norm,
        )

    def step(batch, partly, one: Varied | None, frozen: Params, key: Key[Array, ""], state: _State):
        _, noise_key = _keys_of_step(key, state.step, optimiser)
        (total, mse), gradient = jax.value_and_grad(
            lambda trained: objective(frozen._replace(**trained), batch, noise_key), has_aux=True
        )(state.trained)
        transform = optimiser_of(own, partly, one)
        updates, optimiser_state = transform.update(gradient, state.optimiser, state.trained)
        return _State(optax.apply_updates(state.trained, updates), optimiser_state, state.step + 1), (
            total,
            mse,
        )

    # Many steps in one program let XLA allocate its buffers once, not fault them in at every step. The number of steps
    # and the masks are arguments, and the batches as well, so that tasks with as many channels share one program.
    @jax.jit
    def steps(batches, partly, varied, params, keys, state, n):
        def advance(batches, one, frozen, key, state):
            def body(i, carry):
                state, curves = carry
                batch = jax.tree.map(lambda values: values[i], batches)
                state, (total, mse) = step(batch, partly, one, frozen, key, state)
                return state, curves.at[:, i].set(jnp.stack([total, mse]))

            return jax.lax.fori_loop(0, n, body, (state, jnp.zeros((2, room))))

        return over_seeds(advance)(batches, varied, params, keys, state)

    draw, room = _drawing(draw_batch, keys, optimiser, chunk)
    trained = {name: getattr(params, name) for name in masks}
    # Compile this: otherwise each of the small operations would be a program of its own.
    begin = jax.jit(jax.vmap(lambda weights, own, one: optimiser_of(own, partly, one).init(weights)))
    state = _State(trained, begin(trained, own, varied), np.zeros(len(keys), np.int32))
    kept = checkpoints(phase.n_steps) if keep else ()
    curves, done = [], 0
    for stop in sorted({*range(0, phase.n_steps, chunk), *kept, phase.n_steps}):
        while done < stop:
            n = min(room, stop - done)
            state, found = steps(draw(done, n), partly, varied, params, keys, state, n)
            curves.append(np.asarray(found)[:, :, :n])
            if strict:
                _check_finite(curves[-1][:, 0], done)
            done += n
            if done == stop:
                progress(done, float(curves[-1][:, 1, -1].mean()))
        if keep and stop in kept:
            keep(stop, state.trained)
    if strict:
        _check_last(state.trained, phase.n_steps)
    losses, errors = np.moveaxis(np.concatenate(curves, axis=2), 1, 0)
    trained = {name: np.asarray(weights) for name, weights in state.trained.items()}
    return params._replace(**trained), Curves(losses, errors)


def _keys_of_step(key: Key[Array, ""], step: Any, optimiser: OptimiserSettings) -> tuple[Array, Array]:
    """Return the keys with which a step draws its trials and its state noise."""
    batch_key = jax.random.fold_in(key, step if optimiser.batches == "fresh" else 0)
    trial_key, noise_key = jax.random.split(batch_key)
    return trial_key, noise_key


def _drawing(
    draw_batch: DrawBatch, keys: Key[Array, " seed"], optimiser: OptimiserSettings, chunk: int
) -> tuple[Callable[[int, int], Any], int]:
    """Return a function (first step, number of steps) → batches, and the largest number of steps that it draws.

    Drawing is a program of its own, because it depends on the task and training does not: a phase of nine tasks then
    compiles nine small programs and a few large ones, not nine large ones. A leaf of the batches has the axes seed,
    step, and the batch's own. The batches take at most `BATCHES_MB`, or the batches of one step if those are larger.
    """
    draw_batch = draw_batch if isinstance(draw_batch, Partial) else Partial(draw_batch)
    draw_one = jax.jit(lambda draw_batch, key: draw_batch(key))
    one = jax.eval_shape(draw_one, draw_batch, jax.ShapeDtypeStruct((), keys.dtype))
    bytes_of_step = len(keys) * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(one))
    megabytes = BATCHES_MB.get(jax.default_backend(), BATCHES_MB["gpu"])
    room = max(1, min(chunk, int(megabytes * 1e6 / max(bytes_of_step, 1))))

    @jax.jit
    def drawn(draw_batch, keys, start, n):
        def of_seed(key):
            def body(i, batches):
                trial_key, _ = _keys_of_step(key, start + i, optimiser)
                return jax.tree.map(lambda all_, new: all_.at[i].set(new), batches, draw_one(draw_batch, trial_key))

            empty = jax.tree.map(lambda leaf: jnp.zeros((room, *leaf.shape), leaf.dtype), one)
            return jax.lax.fori_loop(0, n, body, empty)

        return over_seeds(of_seed)(keys)

    return lambda start, n: drawn(draw_batch, keys, start, n), room


def _check_finite(losses: Float[np.ndarray, "seed step"], first_step: int) -> None:
    bad = np.argwhere(~np.isfinite(losses))
    if len(bad):
        row, step = min(map(tuple, bad), key=lambda place: place[1])
        what = f"the loss is not finite at step {first_step + step}"
        if first_step + step == 0:
            raise NotFinite(what, int(row), "no step was made yet: trials or penalties of the loss are too large")
        raise NotFinite(what, int(row))


def _check_last(trained: Weights, n_steps: int) -> None:
    for weights in trained.values():
        bad = np.argwhere(~np.isfinite(np.asarray(weights)))
        if len(bad):
            raise NotFinite(f"weights are not finite after the last step, {n_steps}", int(bad[0][0]))
