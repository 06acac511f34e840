"""Train every candidate of a search on a task (as separate networks or heads), and score them on validation trials."""

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from jaxtyping import Array, Float

from molap.config.evaluation import TaskCriterion
from molap.config.tune import Candidate
from molap.evaluation.criterion import rule_of
from molap.evaluation.validation import scores
from molap.jobs.job import Job, run_job
from molap.networks.masks import all_weights, head_weights
from molap.networks.rnn import Params, draw_b_rec, draw_params, draw_w_rec, stack_networks
from molap.randomness import named_key, stack_keys
from molap.stages.training_job import TrainingSettings, log_step, task_batches
from molap.storage.files import load_arrays, write_table
from molap.tasks.registry import Task, load_tasks
from molap.training.loop import DrawBatch, Recipe
from molap.training.objectives import task_objective
from molap.training.search import Trial, init_of, pretraining_of, train_candidates, trials


class SearchSettings(TrainingSettings):
    """Settings that the programs of a search have in common."""

    candidates: tuple[Candidate, ...]
    n_units: int
    gain: float
    inter_module: Literal["random", "zero"] = "random"
    n_modules: int = 1


class KindSettings(SearchSettings):
    """Settings that the programs of a search for one kind of networks have in common."""

    kind: str


class Settings(KindSettings):
    """Settings that the search on a task depends on, besides pre-trained modules and validation trials."""

    task: str
    criterion: TaskCriterion
    pretraining_steps: int | None = None
    """For heads on pre-trained modules: the number of steps for which each module was trained."""


K = TypeVar("K", bound=KindSettings)


def work(job: Job[Settings]) -> None:
    """Write one row for every candidate and network seed."""
    s = job.settings
    task = load_tasks(s.trials.modules)[s.task]
    networks = trials(s.candidates, s.seeds)
    w_rec_of = drawn_w_rec(s) if s.pretraining_steps is None else _pretrained(job, s.pretraining_steps)
    sizes = len(task.inputs), len(task.outputs), task.name
    drawn = [draw_around(w_rec_of(one), one, *sizes, s) for one in networks]
    trained = train_candidates(
        [one.candidate for one in networks],
        stack_networks(drawn),
        all_weights(drawn[0]) if s.kind == "separate" else head_weights(drawn[0]),
        partial(batches_of_size, task, s),
        batch_keys(networks, task.name, s),
        Recipe(s.phase, s.optimiser, task_objective(s.phase, s.state_noise)),
        progress=log_step,
    )
    found = scores(
        trained,
        load_arrays(job.inputs["validation"]),
        s.criterion,
        s.state_noise,
        s.data_seed,
        rule_of(s.task, s.criterion),
    )
    write_rows(job, [(one, {"task": s.task} | row) for one, row in zip(networks, found, strict=True)])


def drawn_w_rec(s: SearchSettings) -> Callable[[Trial], Float[Array | np.ndarray, "unit unit"]]:
    """Return a function that draws a network's W_rec."""
    sizes = s.n_units, s.gain, s.inter_module, s.n_modules
    return lambda one: draw_w_rec(one.seed, *sizes, one.candidate.recurrent_init)


def _pretrained(job: Job[Settings], n_steps: int) -> Callable[[Trial], Float[Array | np.ndarray, "unit unit"]]:
    """Return a function that looks up a network's W_rec among the pre-trained modules."""
    arrays = load_arrays(job.inputs["modules"])
    pairs = zip(arrays["candidates"].tolist(), arrays["seeds"].tolist(), strict=True)
    places = {pair: place for place, pair in enumerate(pairs)}

    def w_rec_of(one: Trial):
        name = pretraining_of(one.candidate, n_steps).name
        return arrays["w_rec"][places[name, one.seed]]

    return w_rec_of


def draw_around(
    w_rec: Float[Array | np.ndarray, "unit unit"],
    one: Trial,
    n_inputs: int,
    n_outputs: int,
    label: str,
    s: SearchSettings,
) -> Params:
    """Draw all other weights of a network, as the stages `reservoir`, `head` and `separate` do."""
    b_rec = draw_b_rec(one.seed, s.n_units, s.gain)  # only the phase of separate networks trains it
    return draw_params(one.seed, w_rec, n_inputs, n_outputs, label, init_of(one.candidate, s.init), b_rec)


def batches_of_size(task: Task, s: SearchSettings, size: int) -> DrawBatch:
    """Return a function that draws batches of a task with `size` trials."""
    return task_batches(task, s.model_copy(update={"phase": s.phase.model_copy(update={"batch_size": size})}))


def batch_keys(networks: list[Trial], stream: str, s: SearchSettings):
    """Return the keys of the networks' batches, the same as in every other stage that trains on this stream."""
    return stack_keys([named_key(s.data_seed, "training", stream, one.seed) for one in networks])


def write_rows(job: Job[K], rows: list[tuple[Trial, dict]]) -> None:
    """Write the table of a search, and note how many networks failed."""
    frame = pd.DataFrame(
        [
            {"kind": job.settings.kind, "candidate": one.candidate.name}
            | one.candidate.model_dump(mode="json")
            | {"network_seed": one.seed}
            | row
            for one, row in rows
        ]
    )
    write_table(job.outputs["table"], frame)
    job.better = dict.fromkeys(("failed", "failed_of_best_candidate"), "lower")
    job.metrics = {
        "n_candidates": len(job.settings.candidates),
        "n_networks": len(job.settings.candidates) * len(job.settings.seeds),
        "scored": len(frame),
        "failed": int(frame.failed.sum()),
        "failed_of_best_candidate": int(frame.groupby("candidate").failed.sum().min()),
    }


if __name__ == "__main__":
    run_job("search", Settings, work)
