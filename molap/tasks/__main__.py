"""`molap tasks`: list the tasks, or write trials of one to a file. JAX is loaded only when it is needed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from molap.config.base import ConfigError, check
from molap.config.evaluation import CriterionSettings
from molap.config.tasks import TrialSettings
from molap.jobs.command import Whole, refusing, run

if TYPE_CHECKING:
    from molap.tasks.batch import Trials

more_tasks = click.option(
    "--module", multiple=True, metavar="MODULE", help="File or module with more TASKS; may be repeated."
)


@click.group("tasks")
def tasks() -> None:
    """List the tasks, or write trials of one to a file."""


@tasks.command("list")
@more_tasks
@refusing(ConfigError)
def list_tasks(module: tuple[str, ...]) -> None:
    """List the tasks with the lengths of their trials, their inputs and their outputs."""
    from molap.tasks.registry import load_tasks

    found = load_tasks(module).values()
    labels, names = (max(len(getattr(task, what)) for task in found) for what in ("label", "name"))
    for task in found:
        shape = f"{task.n_steps} steps of {task.dt:g} ms"
        channels = f"{', '.join(task.inputs)} → {', '.join(task.outputs)}"
        print(f"{task.label:{labels}}  {task.name:{names}}  {shape}  {channels}")


@tasks.command()
@more_tasks
@click.argument("task")
@click.option("--trials", type=Whole(1, 1_000_000), default=10, help="Number of trials.")
@click.option("--seed", type=Whole(min=0), default=0, help="What the trials are drawn from.")
@click.option("--noise", type=float, default=0.002, help="Standard deviation of the noise on the inputs.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="File to write: .npz for the trials and, beside it, their picture; .png for the picture alone.",
)
@refusing(ConfigError, OSError)
def show(task: str, module: tuple[str, ...], trials: int, seed: int, noise: float, output: Path) -> None:
    """Write trials of a task to a file, before rescaling, and draw the first of them.

    \b
    Example:
      molap tasks show mem_pro --trials 3 --output trials.npz    # and trials.png
      molap tasks show mem_pro --trials 3 --output trials.png    # the picture alone
    """
    from molap.figures.trials import draw_trials_of
    from molap.randomness import named_key
    from molap.tasks.batch import raw_trials
    from molap.tasks.checks import refuse_not_finite
    from molap.tasks.registry import check_rules, load_tasks

    if output.suffix not in (".npz", ".png") or str(output) in module:
        raise ConfigError(f"--output: {output} is not allowed; a new file with the ending .npz or .png")
    known = load_tasks(module)
    if task not in known:
        raise ConfigError(f"TASK: there is no task {task!r}; tasks are {', '.join(known)}; `--module FILE` adds yours")
    check_rules(module, [task], CriterionSettings().window)
    settings = check(TrialSettings, {"modules": module, "input_noise": noise})
    with refusing(ValueError):  # the seed has more than 32 bits
        key = named_key(seed, "show", "conditions")
    conditions = known[task].conditions(key, trials, settings)
    drawn = raw_trials(known[task], named_key(seed, "show", "noise", task), conditions, settings)
    own, picture = known[task], output.with_suffix(".png")
    for what, names in (("inputs", own.inputs), ("targets", own.outputs)):
        refuse_not_finite(f"TASK: {task!r}", what, getattr(drawn, what), names)
    if output != picture:
        _save(output, task, seed, settings, drawn)
    signals = (own.inputs, drawn.inputs), (own.outputs, drawn.targets)
    window = own.window or (max(0, own.n_steps - CriterionSettings().window), own.n_steps)
    figure = draw_trials_of(" ".join(dict.fromkeys((own.label, own.name))), *signals, own.dt, own.epochs, window)
    figure.savefig(picture, metadata={"Software": None})
    print(f"{picture}: the first trials")


def _save(output: Path, task: str, seed: int, settings: TrialSettings, drawn: "Trials") -> None:
    """Write trials with their conditions, and say what was written."""
    import numpy as np

    from molap.storage.files import save_arrays
    from molap.tasks.task import named
    from molap.tasks.trial import Conditions

    values = {name: np.asarray(of_trials) for name, of_trials in named(drawn.conditions).items()}
    if isinstance(drawn.conditions, Conditions):
        degrees = np.round(np.degrees(np.asarray(drawn.conditions.angles, np.float64)))
        values = {"angles": values["angles"], "angles_degrees": degrees}
    save_arrays(
        output,
        {"task": task, "seed": seed, "settings": settings.model_dump(mode="json")},
        inputs=np.asarray(drawn.inputs),
        targets=np.asarray(drawn.targets),
        **({} if drawn.mask is None else {"mask": np.asarray(drawn.mask)}),
        **values,
    )
    shapes = f"inputs {drawn.inputs.shape} and targets {drawn.targets.shape}"
    print(f"{output}: {shapes} (step, trial, channel) before they are rescaled to [0, 1]; {', '.join(values)}")


if __name__ == "__main__":
    run(tasks)
