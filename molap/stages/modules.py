"""Collect accuracy, explained variance and counts by number of modules."""

import pandas as pd

from molap.analysis.collect import performance
from molap.analysis.counts import scaling
from molap.config.base import Section
from molap.config.tasks import Labels, TrialSettings
from molap.jobs.job import Job, run_job
from molap.storage.files import load_arrays, write_table
from molap.tasks.registry import load_tasks


class Settings(Section):
    """Settings: the tasks and their labels, and what determines the numbers of weights."""

    labels: Labels
    sizes: dict[str, tuple[str, int, int]]
    """Name of the run → what is held fixed, number of modules, number of units."""
    trials: TrialSettings
    steps: dict[str, int]
    biases: bool


def work(job: Job[Settings]) -> None:
    """Write one row per number of modules, fixed quantity, source, task and network seed."""
    s, frames, known = job.settings, [], load_tasks(job.settings.trials.modules)
    channels = [(name, known[name].inputs, known[name].outputs) for name in s.labels]
    explained = {name: load_arrays(file)["target_r2"] for name, file in job.inputs.items() if "/" not in name}
    for name, (fixed, r, n_units) in s.sizes.items():
        of_size = {at: file for at, file in job.inputs.items() if at.startswith(f"{name}/")}
        table = performance({at.removeprefix(f"{name}/"): file for at, file in of_size.items()}, s.labels)
        counts = scaling(channels, [n_units], r, s.steps, s.biases)
        counts = counts[counts.n_tasks == len(channels)].set_index("strategy")[
            ["weights", "trained", "trained_per_task", "updates"]
        ]
        counts = counts.loc[["none" if source == "none" else "molap" for source in table.source]]
        r2 = {source: 100 * values[r - 1] for source, values in explained.items() if r <= len(values)}
        first = {"fixed": fixed, "n_modules": r, "n_units": n_units}
        table = table.assign(explained_variance=table.source.map(r2), **first)
        frames.append(pd.concat([table, counts.set_index(table.index)], axis=1))
    table = pd.concat(frames, ignore_index=True)
    leading = ["fixed", "n_modules", "n_units", "source", "task", "label", "network_seed"]
    write_table(job.outputs["table"], table[leading + [c for c in table.columns if c not in (*leading, "strategy")]])


if __name__ == "__main__":
    run_job("modules", Settings, work)
