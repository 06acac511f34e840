"""Train the shared network on all tasks at once, a baseline for learning them in sequence (Yang et al. 2019)."""

import numpy as np

from molap.config.network import RecurrentInit
from molap.config.training import RecurrentPhaseSettings
from molap.jobs.job import Job, run_job
from molap.networks.masks import all_weights
from molap.networks.rnn import select_network, stack_networks, to_arrays
from molap.networks.shared import Layout, add_channels, channels_of, new_network
from molap.randomness import fold_in_name
from molap.stages.training_job import TrainingSettings, note_counts, train_networks
from molap.storage.files import save_arrays
from molap.tasks.batch import draw_trials
from molap.tasks.registry import load_tasks
from molap.training.joint import joint_objective


class Settings(TrainingSettings):
    """Settings that joint training depends on."""

    phase: RecurrentPhaseSettings
    tasks: tuple[str, ...]
    rule: bool
    n_units: int
    gain: float
    recurrent_init: RecurrentInit


def work(job: Job[Settings]) -> None:
    """Train all weights on batches in which every task has its share of the trials."""
    s = job.settings
    tasks = [load_tasks(s.trials.modules)[name] for name in s.tasks]
    layout = Layout()
    networks = [new_network(seed, s.n_units, s.gain, s.init, s.recurrent_init) for seed in s.seeds]
    for task in tasks:
        networks = [
            add_channels(n, layout, task, s.rule, seed, s.init) for n, seed in zip(networks, s.seeds, strict=True)
        ]
        layout = layout.with_task(task, s.rule)
    share = max(1, s.phase.batch_size // len(tasks))

    def draw(key):
        return [draw_trials(task, fold_in_name(key, task.name), share, s.trials).batch() for task in tasks]

    params = stack_networks(networks)
    objective = joint_objective(s.phase, s.state_noise, layout, tasks)
    trainable = all_weights(select_network(params, 0))
    trained = train_networks(job, params, trainable, draw, "joint", objective=objective)
    note_counts(job, select_network(params, 0), trainable)
    arrays = to_arrays(trained) | {"input_names": np.array(layout.inputs), "output_names": np.array(layout.outputs)}
    for task in tasks:
        arrays |= channels_of(layout, task)
    save_arrays(job.outputs["arrays"], job.provenance, seeds=np.array(s.seeds), **arrays)


if __name__ == "__main__":
    run_job("joint", Settings, work)
