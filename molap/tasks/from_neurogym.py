"""Tasks of neurogym (Molano-Mazón et al. 2022): supervised environments, whose trials are drawn once."""

import difflib
import importlib
import re
import warnings
from typing import Any

import numpy as np

from molap.config.base import ConfigError, in_one_line
from molap.tasks.pool import FEWEST, task_from_arrays
from molap.tasks.task import Decide, Task, ring

PREFIX = "neurogym:"
"""What the name of an environment begins with in `tasks.modules`."""
INSTALL = "pip install --no-deps -r envs/neurogym.txt"
N_TRIALS = 1000
SEED = 0
N_CHECKED = 20
N_CHECKS = 10
"""Further environments that draw the first trials again. One alone may agree by luck: an environment that draws its
first block's length before it can be seeded, from eleven lengths, does so once in eleven times."""
RING_DEGREES = 36.0
"""The largest angle between answer and target in the collection yang19, as in Yang et al. (2019)."""

Trial = tuple[np.ndarray, np.ndarray]
"""The observation (step, channel) and the right action (step) of a trial; lengths differ from trial to trial."""


def neurogym_task(
    environment: str,
    name: str | None = None,
    label: str | None = None,
    n_trials: int = N_TRIALS,
    seed: int = SEED,
    degrees: float | None = None,
    **settings: Any,
) -> Task:
    """Return the task of a supervised neurogym environment.

    Inputs are the environment's observations, targets are 1 for the action that its ground truth names and 0 for all
    others. Its own noise is switched off (its `sigma` is set to 0). A trial that is shorter than the longest is padded
    with zeros, which have no weight in the loss and in decisions.

    Args:
        environment: its id, for example `yang19.go-v0`.
        name: the task's name; the id in lower case, with '_', without its version, if None.
        label: how figures call it; the id without collection and version if None.
        n_trials: the trials that are drawn, of which a fifth each is held out for validation and for the test.
        seed: what they are drawn from.
        degrees: for actions on a ring, the largest angle between the most active one and the right one. If None, 36°
            for the collection yang19; for all others 0, which accepts the right action alone.
        **settings: arguments of the environment, such as `dt=50` in ms, or `timing`.

    Raises:
        ConfigError: in one line, if neurogym is not installed or the environment cannot serve.
    """
    where = f"tasks.modules: {PREFIX}{environment}"
    if n_trials < FEWEST:
        raise ConfigError(f"{where}: n_trials = {n_trials} is not allowed; at least {FEWEST}, to hold some out")
    with warnings.catch_warnings(action="ignore"):  # neurogym reads attributes through gymnasium's wrappers
        env, outputs = _made(environment, settings, seed, where)
        trials = [_trial(env, len(outputs), where) for _ in range(n_trials)]
        for _ in range(N_CHECKS):
            again, _ = _made(environment, settings, seed, where)
            repeated = [_trial(again, len(outputs), where) for _ in range(N_CHECKED)]
            if not all(np.array_equal(*pair) for pairs in map(zip, trials, repeated) for pair in pairs):
                raise ConfigError(
                    f"{where} gives different trials for the same seed; its random numbers must come from its rng"
                )
    inputs, targets = _arrays(trials, len(outputs))
    shown, wanted = targets.sum(axis=2) > 0, targets[:, :, 1:].sum(axis=2) > 0
    fixates = outputs[0] == "fixation"
    start = int((wanted if fixates and wanted.any() else shown).any(axis=1).argmax())
    if degrees is None:
        degrees = RING_DEGREES if environment.startswith("yang19.") else 0.0
    # The environments of a collection share their channels under other names, so there they are numbered.
    groups = {"fixation": 0} if "." in environment else getattr(env.observation_space, "name", None) or {}
    short = re.sub(r"-v\d+$", "", environment)
    return task_from_arrays(
        name or re.sub(r"(?<=[a-z])(?=[A-Z])|\W", "_", short).lower(),
        label or short.rpartition(".")[2],
        inputs,
        targets,
        _names("input", inputs.shape[2], groups),
        outputs,
        dt=float(env.unwrapped.dt),
        mask=None if shown.all() else shown[:, :, None],
        window=(start, len(inputs)),
        decide=by_action(fixates, degrees),
    )


def by_action(fixates: bool, degrees: float = 0.0) -> Decide:
    """Return the rule for tasks whose targets name one action at every step.

    For each action that the targets name within the window, fixation aside, the most active output on the steps of
    that action must be it, or an output within the angle; activity is the mean over these steps. If the targets fixate
    throughout, the network must. Steps at which the targets name no action do not count.

    Args:
        fixates: whether the first output is fixation; then the first decision is whether the network fixates if and
            only if it should (threshold 0.5).
        degrees: the largest angle, if the actions lie on a ring; 0 if only the right action counts.
    """
    judge = ring(slice(int(fixates), None), degrees, 0 if fixates else None)

    def decide(found, targets):
        named = np.where(targets.sum(axis=2) > 0.5, targets.argmax(axis=2), -1)
        answers = (named > 0).any(axis=0)
        right = True
        for action in range(targets.shape[2]):
            steps = named == action
            asked = steps.any(axis=0) & ~(answers & fixates & (action == 0))
            means = (
                np.where(steps[:, :, None], values, 0).sum(axis=0, keepdims=True)
                / np.maximum(steps.sum(axis=0), 1)[:, None]
                for values in (found, targets)
            )
            right &= judge(*means) | ~asked[:, None]
        return right

    return decide


def _made(environment: str, settings: dict[str, Any], seed: int, where: str) -> tuple[Any, tuple[str, ...]]:
    """Return an environment that is ready to draw trials, with the names of its actions."""
    neurogym, gymnasium = _imported(where)
    known = importlib.import_module("neurogym.envs.registration").ALL_EXTENDED_ENVS
    if environment not in known:
        similar = difflib.get_close_matches(environment, known, n=5, cutoff=0.4) or sorted(known)
        raise ConfigError(
            f"{where}: neurogym {neurogym.__version__} has no environment {environment!r}; similar are "
            f"{', '.join(similar)}"
        )
    try:
        env = neurogym.make(environment, **settings)
        while type(env).__module__.startswith("gymnasium."):  # whose wrappers know nothing of trials
            env = env.env
        for part in (env, *getattr(env, "envs", ())):
            if hasattr(part.unwrapped, "sigma"):
                part.unwrapped.sigma = 0
        env.seed(seed)  # `reset` does not seed what trials are drawn from
        env.reset()
    except Exception as error:  # an environment may raise anything
        raise ConfigError(f"{where} cannot be made: {in_one_line(error)}") from None
    space = env.action_space
    if not isinstance(space, gymnasium.spaces.Discrete):
        raise ConfigError(f"{where} has actions {space}; discrete actions are needed")
    if len(env.observation_space.shape) != 1:
        raise ConfigError(f"{where} has observations of shape {env.observation_space.shape}; a vector is needed")
    return env, _names("action", int(space.n), getattr(space, "name", None))


def _imported(where: str):
    try:
        # By name in a text, so that jobs without such tasks do not depend on neurogym's version (`molap.jobs.digests`).
        return importlib.import_module("neurogym"), importlib.import_module("gymnasium")
    except ImportError as error:
        raise ConfigError(f"{where} needs neurogym: {in_one_line(error)}; `{INSTALL}` installs it") from None


def _trial(env: Any, n_actions: int, where: str) -> Trial:
    """Draw a trial, and return the observation and the right action at each of its steps."""
    try:
        env.new_trial()
        source = env.unwrapped
        shown, truth = (getattr(source, name, None) for name in ("ob", "gt"))
    except Exception as error:
        raise ConfigError(f"{where} cannot draw a trial: {in_one_line(error)}") from None
    if shown is None or truth is None:
        raise ConfigError(f"{where} has no ground truth (`gt`); a supervised environment is needed")
    if truth.shape != (len(shown),) or truth.min() < 0 or truth.max() >= n_actions:
        raise ConfigError(
            f"{where} has ground truths of shape {truth.shape} from {truth.min():g} to {truth.max():g}; one of its "
            f"{n_actions} actions is needed at each of {len(shown)} steps"
        )
    return np.array(shown, np.float32), np.array(truth, int)


def _arrays(trials: list[Trial], n_actions: int) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets of all trials, with zeros after the end of a shorter one."""
    n_steps = max(len(shown) for shown, _ in trials)
    inputs = np.zeros((n_steps, len(trials), trials[0][0].shape[1]), np.float32)
    targets = np.zeros((n_steps, len(trials), n_actions), np.float32)
    for i, (shown, truth) in enumerate(trials):
        inputs[: len(shown), i] = shown
        targets[np.arange(len(truth)), i, truth] = 1
    return inputs, targets


def _names(what: str, n: int, groups: dict | None) -> tuple[str, ...]:
    """Return the names of channels from neurogym's groups of them, `input1` … where there are none.

    Without names, the first action is fixation, as everywhere in neurogym.
    """
    names = ["fixation" if what == "action" and groups is None and i == 0 else f"{what}{i}" for i in range(n)]
    for group, members in (groups or {}).items():
        members = np.atleast_1d(np.asarray(members)).tolist()
        for k, member in enumerate(members, start=1):
            names[member] = group if len(members) == 1 else f"{group}_{k}" if group[-1].isdigit() else f"{group}{k}"
    return tuple(names)
