"""One trained network: its outputs, trajectories and scores, and copies of it that are perturbed.

Every method calls a pure function of weights and arrays, which `jax.jit`, `vmap` and `grad` accept:
`molap.networks.rnn.run`, `molap.evaluation.sweep.outputs` and `perturb`, `molap.opened.fixed_points`.
"""

import numbers
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from molap.config.base import ConfigError, in_one_line, shown
from molap.config.evaluation import TaskCriterion
from molap.config.perturbations import PerturbationReadings
from molap.evaluation.criterion import metrics, rule_of
from molap.evaluation.perturbations import PERTURBATIONS, Modules
from molap.evaluation.sweep import outputs, perturb, perturbation_key
from molap.evaluation.test_run import run_test_outputs, test_noise
from molap.exchange.writing import write_foreign
from molap.networks.rnn import Params, run, to_arrays
from molap.opened.fixed_points import FixedPoints, find_fixed_points
from molap.opened.trials import Trials

MOST_DRAWS = 2**31 - 1
"""The largest number of a draw; JAX folds it into a key as a signed number of 32 bits."""
Inputs = Float[np.ndarray, "..."]
"""(time, trial, channel); another shape is refused in one line."""

# Sums in one thread, as in the workflow's programs: with several, XLA divides them otherwise, and last bits differ.
_jit = partial(jax.jit, compiler_options={"xla_cpu_multi_thread_eigen": False})
_outputs = _jit(lambda params, inputs, noise: outputs(params, inputs, noise))
_outputs_in_evaluation = _jit(lambda *given: run_test_outputs(*given), static_argnums=(2, 3))
_trajectories = _jit(lambda params, inputs, noise: run(params, inputs, noise)[1])


class Scoring(NamedTuple):
    """The settings by which the workflow scores and perturbs a network."""

    criterion: TaskCriterion = TaskCriterion()
    """When a decision is correct."""
    state_noise: float = 0.0
    """Standard deviation of the noise in the argument of tanh."""
    data_seed: int = 0
    """The seed from which noise and perturbations are drawn."""
    readings: PerturbationReadings = PerturbationReadings()
    """The weights or units that each perturbation hits."""
    n_trials: int = 250
    """Trials on which a perturbed network is scored, the first of the test set."""


class Perturbation(NamedTuple):
    """What was done to a network."""

    name: str
    """`module1`, …, `inter_module`, `whole`, `silence` or `noise`."""
    strength: float
    """Percent of the weights or units; of `noise`, σ."""
    draw: int
    """Number of the random draw, from 0."""
    n_hit: int
    """Weights or units that were hit."""


@dataclass(frozen=True, repr=False)
class Network:
    """A trained network of one kind, task and seed. It never changes; `perturb` returns another one."""

    kind: str
    """`separate`, `molap-cca`, `dni-rule`, …"""
    task: str
    """The task on which it was trained."""
    seed: int
    """The network seed."""
    params: Params
    """w_in (unit, channel), w_rec (unit, unit; row receives), w_out (output, unit), and biases if there are any."""
    modules: Modules
    """The module, from 1, of every unit."""
    scoring: Scoring = field(default_factory=lambda: Scoring())
    """The settings by which it is scored and perturbed."""
    input_names: tuple[str, ...] = ()
    """Names of its input channels."""
    output_names: tuple[str, ...] = ()
    """Names of its outputs."""
    module_names: tuple[str, ...] = ()
    """Names of the modules of a network of one's own, such as areas; `perturb` takes them, too."""
    perturbed: Perturbation | None = None
    """The perturbation that was applied to it, if any."""
    testset: Callable[[], Trials] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        n_units, n_channels = self.params.w_in.shape
        done = (
            f", {self.perturbed.name} {self.perturbed.strength:g}, draw {self.perturbed.draw}" if self.perturbed else ""
        )
        size = (
            f"{n_channels} inputs → {n_units} units in {max(self.modules)} modules → {len(self.params.w_out)} outputs"
        )
        return f"Network({self.kind}, {self.task}, seed {self.seed}: {size}{done})"

    def trials(self) -> Trials:
        """Return the test trials on which the workflow scores this network: all of them, or if it is perturbed, the
        first `scoring.n_trials`.

        Raises:
            ConfigError: if the network has none.
        """
        if self.testset is None:
            raise ConfigError("trials: this network has no test set of its own; give trials")
        found = self.testset()
        return found.first(min(self.scoring.n_trials, len(found))) if self.perturbed else found

    def respond(
        self, inputs: Inputs | Trials, noise: Float[np.ndarray, "time trial unit"] | None = None
    ) -> Float[np.ndarray, "time trial output"]:
        """Return the outputs y(t) = W_out h(t) + b_out, h(t) = tanh(W_rec h(t − 1) + W_in x(t) + b_rec).

        Args:
            inputs: trials, or the channels of trials (time, trial, channel), rescaled as in training (0 to 1).
            noise: state noise, added to the argument of tanh; none by default.

        Raises:
            ConfigError: if the inputs have another shape than (time, trial, channel) with the network's channels, the
                noise another one than (time, trial, unit), or if either is not finite.
        """
        return np.asarray(_outputs(self.params, *self._driven(inputs, noise)))

    def trajectories(
        self, inputs: Inputs | Trials, noise: Float[np.ndarray, "time trial unit"] | None = None
    ) -> Float[np.ndarray, "time trial unit"]:
        """Return the rates h(t) of all units, between −1 and 1; arguments as for `respond`."""
        return np.asarray(_trajectories(self.params, *self._driven(inputs, noise)))

    def score(self, trials: Trials | None = None) -> dict[str, float]:
        """Return every metric on trials, as the workflow computes it: with the run's criterion and state noise.

        On the network's own `trials()`, the default, these are the numbers of the workflow's cell to the last bit.

        Returns:
            `accuracy`, `decision_accuracy`, `all_correct`, `best_constant`, `accuracy_output1` … in percent; `mse` and
            `response_mse` in squared rescaled units.

        Raises:
            ConfigError: in one line, if these are not trials of the network's channels.
        """
        trials = self.trials() if trials is None else trials
        if not isinstance(trials, Trials):
            raise ConfigError(f"trials: {type(trials).__name__} is not allowed; give Trials, which have targets")
        inputs, s = self._checked(trials), self.scoring
        n_outputs = self.params.w_out.shape[0]
        if trials.targets.shape[2] != n_outputs:
            raise ConfigError(
                f"trials: {trials.targets.shape[2]} outputs are not allowed; this network was trained on {self.task}, "
                f"which has {n_outputs}"
            )
        if trials.n_drawn == len(trials) and not self.perturbed:  # the workflow's programs: evaluation, or perturbation
            found = _outputs_in_evaluation(self.params, inputs, s.state_noise, s.data_seed)
        else:
            drawn = np.broadcast_to(np.float32(0), (len(inputs), trials.n_drawn, 0))
            noise = test_noise(s.data_seed, s.state_noise, drawn, self.params.w_rec.shape[0], len(trials))
            found = _outputs(self.params, inputs, noise)
        return metrics(np.asarray(found), trials.targets, s.criterion, rule_of(trials.task, s.criterion))

    def perturb(self, name: str, strength: float | int, draw: int = 0) -> "Network":
        """Return the network under one draw of a perturbation: with exactly the weights of the workflow's cell.

        Args:
            name: `module1`, `module2`, … or a module's name, `inter_module`, `whole`, `silence`, or `noise`.
            strength: percent of the weights (`silence`: of the units) that are hit; of `noise`, σ.
            draw: number of the random draw, from 0. One draw hits the same places at every strength.

        Raises:
            ConfigError: if there is no such perturbation, the strength is out of range, or the network is perturbed.
        """
        self._check_perturbation(name, strength, draw)
        name = f"module{self.module_names.index(name) + 1}" if name in self.module_names else name
        key, s = perturbation_key(self.scoring.data_seed, name, self.seed), self.scoring
        ((found, n_hit),) = perturb(key, draw, self.params, name, (float(strength),), s.readings, self.modules)
        done = Perturbation(name, float(strength), draw, int(n_hit))
        return replace(self, params=Params(*map(_as_numpy, found)), perturbed=done)

    def fixed_points(
        self, inputs: Float[np.ndarray, " channel"], starts: Float[np.ndarray, "start unit"]
    ) -> FixedPoints:
        """Return the fixed points under a constant input; see `molap.opened.fixed_points.find_fixed_points`."""
        return find_fixed_points(self.params, inputs, starts)

    def export(self, file: str | Path, names: str = "molap") -> None:
        """Write the network for other software, whose own forward pass then gives the same outputs.

        Args:
            file: its ending says the form. `.pt`: a state dict of PyTorch (`rnn.weight_ih_l0`, …, `readout.weight`,
                `h0`), which needs PyTorch; `.mat`: variables of MATLAB; `.npz`: arrays.
            names: of `.npz`: `molap`, or `psychrnn` for what PsychRNN's `save()` writes (`W_rec`, …).

        Raises:
            ConfigError: in one line, if the form is none of these, or cannot hold this network.
        """
        labels = np.array(self.module_names)[np.array(self.modules) - 1] if self.module_names else self.modules
        further = {"modules": np.array(labels)}
        if self.testset is not None:
            trial = self.testset().first(1)
            further |= {"inputs": trial.inputs[:, 0], "rates": self.trajectories(trial)[:, 0]}
        write_foreign(file, to_arrays(self.params), further, names)

    def _checked(self, inputs: object) -> Float[np.ndarray, "time trial channel"]:
        values = _array("inputs", inputs.inputs if isinstance(inputs, Trials) else inputs)
        if values.dtype.kind not in "fiub":
            raise ConfigError(f"inputs: {values.dtype} is not allowed; real numbers are needed")
        values = _single(values)
        n_channels = self.params.w_in.shape[1]
        if values.ndim != 3 or values.shape[2] != n_channels:
            names = f" ({', '.join(self.input_names)})" if self.input_names else ""
            raise ConfigError(
                f"inputs: shape {values.shape} is not allowed; (time, trial, {n_channels}), the channels of "
                f"{self.task}{names}"
            )
        _check_finite("inputs", values, "channel")
        return values

    def _driven(self, inputs: object, noise: object) -> tuple[np.ndarray, np.ndarray | None]:
        """Return inputs and state noise, both checked."""
        values = self._checked(inputs)
        if noise is None:
            return values, None
        noise = _array("noise", noise)
        needed = (*values.shape[:2], self.params.w_rec.shape[0])
        if noise.dtype.kind not in "fiub" or noise.shape != needed:
            raise ConfigError(f"noise: {noise.dtype} of shape {noise.shape} is not allowed; real numbers, {needed}")
        noise = _single(noise)
        _check_finite("noise", noise, "unit")
        return values, noise

    def _check_perturbation(self, name: object, strength: object, draw: object) -> None:
        modules = [f"module{m}" for m in range(1, max(self.modules) + 1)]
        known = [*modules, *self.module_names, *(other for other in PERTURBATIONS if other != "module")]
        if not isinstance(name, str) or name not in known:
            raise ConfigError(f"name: {shown(name)} is not allowed; perturbations of this network: {', '.join(known)}")
        if self.perturbed:
            raise ConfigError(f"this network is perturbed already ({self.perturbed.name}); perturb the intact one")
        most = 10 if name == "noise" else 100
        if (
            isinstance(strength, bool)
            or not isinstance(strength, int | float | np.integer | np.floating)
            or not 0 < strength <= most
        ):
            unit = "σ" if name == "noise" else "percent"
            raise ConfigError(f"strength: {shown(strength)} is not allowed; above 0, at most {most} ({unit})")
        if isinstance(draw, bool) or not isinstance(draw, numbers.Integral) or not 0 <= int(draw) <= MOST_DRAWS:
            raise ConfigError(f"draw: {shown(draw)} is not allowed; 0, 1, 2, …, {MOST_DRAWS}")


def _array(what: str, values: object) -> np.ndarray:
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:  # rows of different lengths, keys of JAX
        raise ConfigError(f"{what}: {in_one_line(error)}") from None


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
        return values.astype(np.float32)


def _check_finite(what: str, values: np.ndarray, axis: str) -> None:
    if not np.isfinite(values).all():
        step, trial, i = np.argwhere(~np.isfinite(values))[0]
        raise ConfigError(f"{what}: not finite at step {step}, trial {trial}, {axis} {i}")


def _as_numpy(values):
    return None if values is None else np.asarray(values)
