"""Collect what keeps separate networks on a plateau, with the current and the former training."""

import pandas as pd

from molap.config.base import Section
from molap.config.tasks import Labels
from molap.jobs.job import Job, run_job
from molap.storage.files import read_table, write_table


class Settings(Section):
    """Settings: the tasks and their labels. The inputs are named `protocol.task.block`."""

    labels: Labels


def work(job: Job[Settings]) -> None:
    """Write one row per protocol, task, network seed and checkpoint."""
    labels, frames = job.settings.labels, []
    for name, file in job.inputs.items():
        protocol, task, _ = name.split(".")
        frames.append(read_table(file).assign(protocol=protocol, label=labels[task]))
    table = pd.concat(frames, ignore_index=True)
    first = ["protocol", "task", "label", "network_seed", "step"]
    write_table(job.outputs["table"], table[first + [name for name in table.columns if name not in first]])


if __name__ == "__main__":
    run_job("plateau_table", Settings, work)
