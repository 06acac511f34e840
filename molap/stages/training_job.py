"""The parts that training stages share: settings, seeds, and outputs."""

from typing import TypeVar

import numpy as np

from molap.config.base import Section
from molap.config.network import InitSettings
from molap.config.tasks import TrialSettings
from molap.config.training import OptimiserSettings, PhaseSettings
from molap.jobs.job import Job
from molap.networks.masks import Trainable, count_all, count_trained
from molap.networks.rnn import Params, select_network, to_arrays
from molap.randomness import named_key, stack_keys
from molap.storage.files import save_arrays
from molap.tasks.batch import draw_trials
from molap.tasks.task import Task
from molap.training.loop import DrawBatch, NotFinite, Protection, Recipe, Watch, Weights, train
from molap.training.objectives import Objective, task_objective


class TrainingSettings(Section):
    """Settings that every training stage depends on."""

    trials: TrialSettings
    seeds: tuple[int, ...]
    data_seed: int
    init: InitSettings
    state_noise: float
    phase: PhaseSettings
    optimiser: OptimiserSettings


T = TypeVar("T", bound=TrainingSettings)


def task_batches(task: Task, settings: TrainingSettings) -> DrawBatch:
    """Return a function that draws a batch of a task from a key."""

    def draw(key):
        return draw_trials(task, key, settings.phase.batch_size, settings.trials).batch()

    return draw


def train_and_save(
    job: Job[T],
    params: Params,
    trainable: Trainable,
    draw_batch: DrawBatch,
    stream: str,
    further: dict[str, np.ndarray] | None = None,
    objective: Objective | None = None,
) -> None:
    """Train all seeds, write the networks with `further` arrays, and note curves and counts."""
    trained = train_networks(job, params, trainable, draw_batch, stream, objective)
    note_counts(job, select_network(params, 0), trainable)
    arrays = to_arrays(trained) | (further or {})
    save_arrays(job.outputs["arrays"], job.provenance, seeds=np.array(job.settings.seeds), **arrays)


def train_networks(
    job: Job[T],
    params: Params,
    trainable: Trainable,
    draw_batch: DrawBatch,
    stream: str,
    objective: Objective | None = None,
    protection: Protection | None = None,
) -> Params:
    """Train all seeds, note curves, and write the weights at checkpoints if they are requested.

    Batches follow from the data seed, the name of the stream and the network seed, so that strategies trained on the
    same task see the same batches. Without an `objective`, the loss on a task's batch is minimised.
    """
    settings = job.settings
    kept: dict[int, Weights] = {}
    keys = stack_keys([named_key(settings.data_seed, "training", stream, seed) for seed in settings.seeds])
    try:
        trained, curves = train(
            params,
            trainable,
            draw_batch,
            keys,
            Recipe(
                settings.phase, settings.optimiser, objective or task_objective(settings.phase, settings.state_noise)
            ),
            Watch(
                lambda step, mse: log_step(step, settings.phase.n_steps, mse),
                kept.__setitem__ if "checkpoints" in job.outputs else None,
            ),
            protection,
        )
    except NotFinite as error:
        raise FloatingPointError(f"seed {settings.seeds[error.index]}: {error}") from error
    if kept:
        weights = {name: np.stack([weights[name] for weights in kept.values()]) for name in kept[0]}
        save_arrays(job.outputs["checkpoints"], job.provenance, steps=np.array(list(kept)), **weights)
    job.curves = {"loss": curves.loss, "mse": curves.mse}
    job.metrics["final_mse"] = curves.mse[:, -min(50, settings.phase.n_steps) :].mean(axis=1)
    job.better |= dict.fromkeys(("final_mse", "loss", "mse"), "lower")
    return trained


def note_counts(job: Job[T], network: Params, trainable: Trainable) -> None:
    """Note how many weights a network has, how many the phase trains, and how often it updates them."""
    n_trained = count_trained(network, trainable)
    job.better |= dict.fromkeys(("n_trained", "n_updates", "n_weights"), "lower")
    job.metrics |= {
        "n_trained": n_trained,
        "n_updates": n_trained * job.settings.phase.n_steps,
        "n_weights": count_all(network),
        "n_weights_of": {name: value.size for name, value in to_arrays(network).items()},
    }


def log_step(step: int, n_steps: int, mse: float) -> None:
    """Log the progress of training."""
    print(f"step {step}/{n_steps}  mse {mse:.5f}", flush=True)
