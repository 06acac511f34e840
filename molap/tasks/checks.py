"""Checks of a user's task: what its functions return is compared with what it declares, before anything is trained."""

import math
import numbers
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Shaped

from molap.config.base import ConfigError, in_one_line
from molap.config.names import SMALL, why_not_a_name
from molap.config.tasks import TrialSettings
from molap.jobs.surroundings import refuse_unusable_device
from molap.tasks.pool import pool_of
from molap.tasks.task import Task, named

UNDRAWABLE = re.compile(r"[$\\<>\x00-\x1f\x7f]")
"""Characters that figures and pages read as markup, or that break a line."""
LONGEST = 100_000
"""The largest number of steps of a trial."""
LARGEST = 1e30
"""The largest size of a bound, so that single precision can rescale by it."""
STREAMS = {"test", "validation"}
N_TRIALS = 64
"""Trials that are drawn to compare the values with the declaration."""
ROUNDING = 1e-5
"""By how much a value may exceed its bounds, as a share of their width."""


def refuse_not_finite(
    where: str, what: str, values: Shaped[np.ndarray, "time trial channel"], names: Sequence[str]
) -> None:
    """Refuse trials that are not finite, which may be so rare that the trials drawn for the checks hold none.

    Raises:
        ConfigError: with the first such step, channel and value, and how many trials hold one.
    """
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        step, trial, channel = bad[0]
        raise ConfigError(
            f"{where} returns {what} that are not finite: {values[step, trial, channel]} in the channel "
            f"{names[channel]} at step {step}, in {len(np.unique(bad[:, 1]))} of {values.shape[1]} trials"
        )


def check_name(task: Task, module: str) -> None:
    """Check the name and the label of a task."""
    for what, text, form in (("label", task.label, None), ("name", task.name, SMALL)):
        reason = why_not_a_name(text, form)
        if what == "label" and isinstance(text, str) and (UNDRAWABLE.search(text) or text != text.strip()):
            reason = "leave out $, \\, < and >, line breaks, and spaces around it"
        if reason:
            raise ConfigError(f"tasks.modules: {module!r}: {text!r} is not allowed as the {what} of a task; {reason}")


def check_declaration(task: Task, module: str) -> None:
    """Check what a task says about itself, without calling its functions."""
    where = f"tasks.modules: {module!r}: the task {task.name!r} has"
    for what in ("inputs", "outputs"):
        names = getattr(task, what)
        texts = isinstance(names, tuple | list) and all(isinstance(name, str) and name for name in names)
        if not texts or not names or len(set(names)) < len(names):
            raise ConfigError(f"{where} {what} {names!r}; give the names of its channels, each once")
        _check_texts(names, f"{where} {what}")
    for what in ("input_bounds", "target_bounds"):
        bounds = getattr(task, what)
        if not _pair_of(bounds, numbers.Real) or not -LARGEST < bounds[0] < bounds[1] < LARGEST:
            raise ConfigError(f"{where} {what} {bounds!r}; give the lowest and the highest value")
        if bounds[1] - bounds[0] < 1 / LARGEST:
            raise ConfigError(f"{where} {what} {bounds!r}; they are too close to be rescaled to 0 and 1")
    if not _is(task.n_steps, numbers.Integral) or not 2 <= task.n_steps <= LONGEST:
        raise ConfigError(f"{where} n_steps {task.n_steps!r}; give a whole number from 2 to {LONGEST}")
    if not _is(task.dt, numbers.Real) or not 0 < task.dt < math.inf:
        raise ConfigError(f"{where} dt {task.dt!r}; give the duration of a step in ms")
    if not isinstance(task.epochs, Mapping) or not all(isinstance(name, str) and name for name in task.epochs):
        raise ConfigError(f"{where} epochs {task.epochs!r}; give a dictionary from names to steps")
    _check_texts(task.epochs, f"{where} epochs")
    held_out = task.held_out if isinstance(task.held_out, Mapping) else {"": None}
    if not held_out.keys() <= STREAMS or not all(map(callable, held_out.values())):
        raise ConfigError(f"{where} held_out {task.held_out!r}; give a dictionary with functions for test, validation")
    for what in ("build", "draw", "mask", "decide"):
        function = getattr(task, what)
        if not callable(function) and not (function is None and what in ("mask", "decide")):
            raise ConfigError(f"{where} {what} {function!r}; give a function")


def _check_texts(names: Iterable[str], where: str) -> None:
    for name in names:
        if UNDRAWABLE.search(name) or name.startswith("rule:"):
            raise ConfigError(f"{where} named {name!r}; leave out $, \\, < and >, and `rule:` at the beginning")


def check_trials(task: Task, module: str) -> None:
    """Compare the trials that the task's functions give with its declaration, for training and what is held out."""
    where = f"tasks.modules: {module!r}: the task {task.name!r}"
    for stream in ("", *task.held_out):
        _Check(task.of_stream(stream), f"{where}, {stream} trials" if stream else where).all()


def check_rule(task: Task, window: int) -> None:
    """Check the rule of a task without a window of its own on the last steps, which is what a run judges.

    Args:
        task: any task; if it has no rule, or a window, there is nothing to check.
        window: the number of last steps, `evaluation.window`.
    """
    if task.decide is not None and task.window is None:
        stop = task.n_steps
        _Check(task._replace(window=(max(0, stop - window), stop)), f"tasks.names: the task {task.name!r}").rule()


class _Check:
    def __init__(self, task: Task, where: str) -> None:
        self.task, self.where = task, where

    def all(self) -> None:
        """Run all checks: of shapes, then of what the declaration says of steps, then of values."""
        task = self.task
        pool = pool_of(task)
        if pool is not None:  # our own functions, which take their time to compile
            self.spans()
            self.values(*pool)
            self.rule()
            return
        self.shapes(2)
        self.spans()
        self.shapes(N_TRIALS)
        first, second = (self.attempt("its function", jax.jit(self.drawing(N_TRIALS))) for _ in range(2))
        self.values(*jax.tree.map(np.asarray, first))
        pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
        if not all(np.array_equal(one, other) for one, other in pairs):
            self.refuse("gives different trials for the same key; draw all random numbers from the key")
        self.decisions(np.asarray(first[1]))

    def rule(self) -> None:
        """Check the rule alone."""
        pool = pool_of(self.task)
        if pool is not None:
            self.decisions(pool[1][:, np.arange(N_TRIALS) % pool[1].shape[1]])
        else:
            self.decisions(np.asarray(self.attempt("its function", jax.jit(self.drawing(N_TRIALS)))[1]))

    def refuse(self, what: str) -> None:
        raise ConfigError(f"{self.where} {what}")

    def attempt(self, what: str, function: Callable, *values: Any) -> Any:
        try:
            return function(*values)
        except ConfigError:
            raise
        except (Exception, SystemExit) as error:  # a user's function may raise anything
            refuse_unusable_device()
            raise ConfigError(f"{self.where}: {what} fails: {in_one_line(error)}") from None

    def drawing(self, n_trials: int) -> Callable:
        """Return a function that draws trials; each time another, so that JAX calls the user's functions again."""
        task, settings = self.task, TrialSettings()

        def drawn():
            conditions = task.draw(jax.random.key(0), n_trials, settings)
            made = task.build(conditions, settings)
            if not isinstance(made, tuple | list) or len(made) != 2:
                raise TypeError(f"it returns {type(made).__name__}; inputs and targets are needed")
            mask = () if task.mask is None else (task.mask(conditions, settings),)
            return *map(_array, made), *map(_array, mask)

        return drawn

    def shapes(self, n_trials: int) -> None:
        task = self.task
        draw = lambda: task.draw(jax.random.key(0), n_trials, TrialSettings())  # noqa: E731
        conditions = self.attempt("draw", jax.eval_shape, draw)
        for name, values in named(conditions).items():
            if not values.shape or values.shape[0] != n_trials:
                self.refuse(
                    f"draws {name} of shape {tuple(values.shape)} for {_count(n_trials)} trials; the first axis must "
                    "be the trial"
                )
        found = self.attempt("its function", jax.eval_shape, self.drawing(n_trials))
        for values, names, what in zip(found, (task.inputs, task.outputs), ("inputs", "targets"), strict=False):
            expected = (task.n_steps, n_trials, len(names))
            if tuple(values.shape) != expected:
                self.refuse(
                    f"returns {what} of shape {tuple(values.shape)} for {_count(n_trials)} trials; n_steps = "
                    f"{task.n_steps} and its channels {', '.join(names)} need {expected}: time, trial, channel"
                )
        for values, what in zip(found, ("inputs", "targets", "a mask"), strict=False):
            if values.dtype.kind not in "fiu":
                self.refuse(f"returns {what} of the type {values.dtype}; real numbers are needed")
        if task.mask is not None:
            full = (task.n_steps, n_trials, len(task.outputs))
            shape = found[2].shape
            if (
                len(shape) != 3
                or shape[0] != full[0]
                or not {shape[1]} <= {1, full[1]}
                or not {shape[2]} <= {1, full[2]}
            ):
                self.refuse(
                    f"returns a mask of shape {tuple(shape)}; {full} is needed: time, trial, output, of which the last "
                    "two may be 1"
                )

    def spans(self) -> None:
        """Check the epochs and the window, whose steps must be those of the trials."""
        spans = {f"the epoch {name!r}": span for name, span in self.task.epochs.items()}
        if self.task.window is not None:
            spans["window"] = self.task.window
        for name, span in spans.items():
            if not _pair_of(span, numbers.Integral) or not 0 <= span[0] < span[1] <= self.task.n_steps:
                self.refuse(
                    f"has {name} {span!r}; give its first step and the step after its last, from 0 to "
                    f"{self.task.n_steps}"
                )

    def values(self, inputs: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None) -> None:
        task = self.task
        parts = [
            (inputs, task.inputs, "inputs", "input_bounds"),
            (targets, task.outputs, "targets", "target_bounds"),
        ]
        for values, names, what, bounds in parts:
            low, high = getattr(task, bounds)
            refuse_not_finite(self.where, what, values, names)
            slack = ROUNDING * (high - low)
            if values.min() < low - slack or values.max() > high + slack:
                self.refuse(
                    f"returns {what} from {values.min():.6g} to {values.max():.6g}; its {bounds} are {low:g} and "
                    f"{high:g}"
                )
        if np.ptp(targets, axis=(0, 1)).max() == 0:
            self.refuse(f"has targets that never change, at any step of any of {targets.shape[1]} trials")
        if mask is not None and not (np.isfinite(mask).all() and mask.min() >= 0 and mask.max() > 0):
            self.refuse(
                f"returns a mask from {mask.min():g} to {mask.max():g}; weights are finite, at least 0, not all 0"
            )

    def decisions(self, targets: np.ndarray) -> None:
        """Call the task's rule, if any, with the targets themselves, and with outputs constant or not finite.

        Without a window, the steps that are judged follow from a configuration, which `check_rule` knows.
        """
        decide = self.task.decide
        if decide is None or self.task.window is None:
            return
        low, high = self.task.target_bounds
        seen = ((targets - low) / (high - low))[slice(*self.task.window)]
        n_decisions, always_right = None, True
        for what, outputs in (
            ("decide", seen),
            ("decide, with outputs of 0,", np.zeros_like(seen)),
            ("decide, with outputs of 1,", np.ones_like(seen)),
            ("decide, with outputs that are not finite,", np.full_like(seen, np.nan)),
        ):
            rule = lambda outputs=outputs: np.asarray(decide(outputs.copy(), seen.copy()))  # noqa: E731
            right = self.attempt(what, rule)
            fits = right.ndim == 2 and right.size and right.shape == (N_TRIALS, n_decisions or right.shape[1])
            if right.dtype != bool or not fits:
                self.refuse(
                    f"has a rule: decide returns {right.dtype} of shape {right.shape} for {N_TRIALS} trials; truth "
                    f"values ({N_TRIALS}, number of decisions) are needed"
                )
            n_decisions = right.shape[1]
            if outputs is seen and not right.all():
                wrong = int((~right.all(axis=1)).sum())
                self.refuse(f"has a rule: decide calls the targets themselves wrong on {wrong} of {N_TRIALS} trials")
            always_right &= bool(right.all())
            if not np.array_equal(right, self.attempt(what, rule)):
                self.refuse("has a rule: decide answers differently when it is called again with the same trials")
        if always_right:
            self.refuse("has a rule: decide calls all outputs right, whether 0, 1 or not finite")


def _array(values: Any) -> Any:
    if not hasattr(values, "shape") or not hasattr(values, "dtype"):
        raise TypeError(f"it returns {type(values).__name__}; arrays are needed")
    return values


def _count(n: int) -> str:
    return "two" if n == 2 else str(n)


def _is(value: object, kinds: Any) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _pair_of(values: object, kinds: Any) -> bool:
    return isinstance(values, tuple | list) and len(values) == 2 and all(_is(value, kinds) for value in values)
