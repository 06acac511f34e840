"""Train a task's input and readout weights on the frozen network (section 3.4, A.2.3)."""

from molap.config.training import HeadSettings
from molap.jobs.job import Job, run_job
from molap.networks.masks import head_weights
from molap.networks.rnn import draw_params, select_network, stack_networks
from molap.stages.training_job import TrainingSettings, task_batches, train_and_save
from molap.storage.files import load_arrays
from molap.tasks.registry import load_tasks


class Settings(TrainingSettings):
    """Settings that a head depends on, besides the frozen network."""

    phase: HeadSettings
    source: str
    task: str


def work(job: Job[Settings]) -> None:
    """Draw new input and readout weights, the same for every source, and train them."""
    settings = job.settings
    frozen = load_arrays(job.inputs["network"])
    task = load_tasks(settings.trials.modules)[settings.task]
    networks = [
        draw_params(seed, w_rec, len(task.inputs), len(task.outputs), task.name, settings.init)
        for seed, w_rec in zip(settings.seeds, frozen["w_rec"], strict=True)
    ]
    params = stack_networks(networks)._replace(b_rec=frozen.get("b_rec"))
    trainable, batches = head_weights(select_network(params, 0)), task_batches(task, settings)
    kept = {name: values for name, values in frozen.items() if name in ("modules", "module_names")}
    train_and_save(job, params, trainable, batches, task.name, kept)


if __name__ == "__main__":
    run_job("head", Settings, work)
