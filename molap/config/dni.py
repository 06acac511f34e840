"""Settings of the networks that learn all tasks: DNI and its baselines."""

from typing import Literal

from pydantic import Field

from molap.config.base import Section
from molap.config.network import LARGEST_N_UNITS
from molap.config.training import RecurrentPhaseSettings

SharedKind = Literal["dni-rule", "dni-norule", "sequential-rule", "sequential-norule", "joint-rule", "joint-norule"]


class MethodSettings(Section):
    """Dynamical non-interference (Duncker et al. 2020)."""

    alpha: float = Field(
        1e-3, gt=0, description="α of P = α(Σ + αI)⁻¹: variances well above it are protected. Native code: 1e-3."
    )
    projection: Literal["update", "gradient"] = Field(
        "update",
        description="What is projected: the optimiser's `update` (native), or the `gradient` before Adam (released "
        "code), which Adam's division then rotates back out of the protected subspace.",
    )
    counter: Literal["tasks", "one_too_high"] = Field(
        "tasks",
        description="Count k in the running averages: tasks learned (native), or `one_too_high` (released code).",
    )
    state: Literal["current", "lagged"] = Field(
        "current",
        description="State in z: h(t − 1), which the weights multiply at t (`current`, native), or h(t − 2) "
        "(`lagged`, released code).",
    )
    covariance_trials: int = Field(
        500, ge=2, le=100_000, description="Trials of each task from which its covariances are measured."
    )


class DniSettings(RecurrentPhaseSettings, MethodSettings):
    """One network for all tasks (A.2, A.2.3): DNI and the networks that it is compared with."""

    kinds: tuple[SharedKind, ...] = Field(
        ("dni-rule",),
        description="Networks to train: by DNI, in `sequential` order without protection, or on all tasks `joint`ly; "
        "with a one-hot `rule` input that names the task (native code), or without one (`norule`, as released).",
    )
    baselines: tuple[SharedKind, ...] = Field(
        ("dni-norule", "sequential-rule", "joint-rule"),
        description="`snakemake baselines` trains these networks and shows them together with those of `kinds`.",
    )
    n_units: int = Field(
        200,
        ge=2,
        le=LARGEST_N_UNITS,
        description="Number of units N. A.2: 200. Set 100 for a comparison at equal size.",
    )
    gain: float = Field(1.5, gt=0, le=10, description="Gain g of the initial recurrent weights.")
    orders: int = Field(
        1,
        ge=1,
        le=1000,
        description="Number of orders of the tasks. The first is that of tasks.names, and the others are random.",
    )
    learning_rate: float = Field(
        3e-3, gt=0, le=1, description="Initial learning rate. Text: 3e-3; released code: 1e-3."
    )
    recurrent_rate: float = Field(
        0.3,
        gt=0,
        le=10,
        description="Factor on the learning rate of W_rec (docs/decisions.md). Text: none, that is, 1.",
    )
    n_steps: int = Field(
        1000,
        ge=1,
        le=1_000_000,
        description="Steps of the optimiser for each task, chosen by the search (docs/decisions.md).",
    )
    joint_steps: int = Field(
        6000,
        ge=1,
        le=10_000_000,
        description="Steps of joint training, each on a batch of batch_size trials divided among the tasks.",
    )
