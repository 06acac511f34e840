"""Trials of a task as networks receive them."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float

from molap.config.base import ConfigError


@dataclass(frozen=True, repr=False)
class Trials:
    """Hold trials of one task, rescaled to [0, 1]."""

    task: str
    """The name of the task."""
    inputs: Float[np.ndarray, "time trial channel"]
    """Inputs of the network."""
    targets: Float[np.ndarray, "time trial output"]
    """Targets of its outputs."""
    conditions: dict[str, np.ndarray] = field(default_factory=dict)
    """Values drawn for each trial (first axis), by name; `angles` of the nine tasks are in radians."""
    dt: float = 10.0
    """Duration of a step in ms."""
    input_names: tuple[str, ...] = ()
    """Names of the input channels."""
    output_names: tuple[str, ...] = ()
    """Names of the outputs."""
    n_drawn: int = 0
    """Number of trials that were drawn together; these are the first of them. State noise depends on it."""

    def __post_init__(self) -> None:
        if not self.n_drawn:
            object.__setattr__(self, "n_drawn", self.inputs.shape[1])

    def __len__(self) -> int:
        return self.inputs.shape[1]

    def __repr__(self) -> str:
        of = f"of {self.n_drawn} " if self.n_drawn > len(self) else ""
        steps = f"{len(self.inputs)} steps of {self.dt:g} ms"
        channels = f"{_names(self.input_names)} → {_names(self.output_names)}"
        return f"Trials({self.task}: {len(self)} {of}trials, {steps}, {channels})"

    def first(self, n: int) -> "Trials":
        """Return the first `n` trials.

        Raises:
            ConfigError: if there are fewer.
        """
        if not 1 <= n <= len(self):
            raise ConfigError(f"n: {n} is not allowed; 1 to {len(self)} trials")
        conditions = {name: values[:n] for name, values in self.conditions.items()}
        inputs, targets = self.inputs[:, :n], self.targets[:, :n]
        return replace(self, inputs=inputs, targets=targets, conditions=conditions)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "unnamed"
