"""`python -m molap.tasks`: list the tasks, or write trials of one to a file."""

import argparse
import sys

import numpy as np

from molap.config.base import ConfigError, check
from molap.config.tasks import TrialSettings
from molap.randomness import LARGEST_SEED, named_key
from molap.storage.files import save_arrays
from molap.tasks.batch import raw_trials
from molap.tasks.registry import load_tasks
from molap.tasks.trial import draw_conditions


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and run it; a refused argument ends with one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m molap.tasks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("list", "list the tasks"), ("show", "write trials of a task, before rescaling")):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--module", action="append", default=[], help="file or module with more TASKS")
        if name == "show":
            command.add_argument("task")
            command.add_argument("--trials", type=int, default=10)
            command.add_argument("--seed", type=int, default=0)
            command.add_argument("--noise", type=float, default=0.002, help="standard deviation (default 0.002)")
            command.add_argument("--output", required=True, metavar="FILE.npz")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "list":
            for task in load_tasks(tuple(arguments.module)).values():
                print(f"{task.label}  {task.name:16} {', '.join(task.inputs)} → {', '.join(task.outputs)}")
        else:
            _show(arguments)
    except (ConfigError, OSError) as error:
        sys.exit(f"molap.tasks: {error}")


def _show(arguments: argparse.Namespace) -> None:
    tasks = load_tasks(tuple(arguments.module))
    if arguments.task not in tasks:
        raise ConfigError(f"TASK: there is no task {arguments.task!r}; tasks are {', '.join(tasks)}")
    if arguments.trials < 1:
        raise ConfigError(f"--trials: {arguments.trials} is not allowed; give 1 or more")
    if not 0 <= arguments.seed <= LARGEST_SEED:
        raise ConfigError(f"--seed: {arguments.seed} is not allowed; give 0 to {LARGEST_SEED}")
    settings = check(TrialSettings, {"modules": arguments.module, "input_noise": arguments.noise})
    conditions = draw_conditions(named_key(arguments.seed, "show", "conditions"), arguments.trials, settings)
    key = named_key(arguments.seed, "show", "noise", arguments.task)
    trials = raw_trials(tasks[arguments.task], key, conditions, settings)
    save_arrays(
        arguments.output,
        {"task": arguments.task, "seed": arguments.seed, "settings": settings.model_dump(mode="json")},
        inputs=np.asarray(trials.inputs),
        targets=np.asarray(trials.targets),
        angles=np.asarray(conditions.angles),
        angles_degrees=np.round(np.degrees(np.asarray(conditions.angles, np.float64))),
    )


if __name__ == "__main__":
    main()
