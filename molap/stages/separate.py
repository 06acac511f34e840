"""Train all weights of a separate network for a task (A.2.3)."""

from molap.config.network import RecurrentInit
from molap.config.training import SeparatePhaseSettings
from molap.jobs.job import Job, run_job
from molap.networks.masks import all_weights
from molap.networks.rnn import draw_b_rec, draw_params, draw_w_rec, select_network, stack_networks
from molap.stages.training_job import TrainingSettings, task_batches, train_and_save
from molap.tasks.registry import load_tasks


class Settings(TrainingSettings):
    """Settings that a separate network depends on."""

    phase: SeparatePhaseSettings
    task: str
    n_units: int
    gain: float
    recurrent_init: RecurrentInit


def work(job: Job[Settings]) -> None:
    """Draw the networks of this task and train all their weights."""
    settings = job.settings
    task = load_tasks(settings.trials.modules)[settings.task]
    networks = []
    for seed in settings.seeds:
        w_rec = draw_w_rec(seed, settings.n_units, settings.gain, recurrent_init=settings.recurrent_init)
        b_rec = draw_b_rec(seed, settings.n_units, settings.gain)
        sizes = len(task.inputs), len(task.outputs)
        networks.append(draw_params(seed, w_rec, *sizes, task.name, settings.init, b_rec))
    params = stack_networks(networks)
    train_and_save(job, params, all_weights(select_network(params, 0)), task_batches(task, settings), task.name)


if __name__ == "__main__":
    run_job("separate", Settings, work)
