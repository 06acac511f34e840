"""Settings of the optimiser and of the training phases."""

from typing import Literal

from pydantic import Field

from molap.config.base import Section


class OptimiserSettings(Section):
    """The free choices of the optimiser, the same for all strategies (docs/decisions.md)."""

    decay: Literal["cosine", "stages", "constant"] = Field(
        "cosine",
        description="Learning rate over a phase: `cosine` to zero, `stages` (the text's “iterations before decreasing "
        "learning rate”), or `constant` (what the released code actually does).",
    )
    n_stages: int = Field(
        5, ge=1, le=100, description="Number of stages of equal length, for `stages` and for counting stages."
    )
    stage_factor: float = Field(
        1 / 3, gt=0, le=1, description="Factor by which the learning rate changes from one stage to the next."
    )
    clip_norm: float | None = Field(
        0.1, gt=0, description="Global norm to which gradients are clipped; null for no clipping."
    )
    adam_count: Literal["step", "stage"] = Field(
        "step",
        description="What Adam's bias correction counts: steps (correct), or the index of the stage, which the "
        "released code passes instead of the step.",
    )
    batches: Literal["fresh", "frozen"] = Field(
        "fresh",
        description="A `fresh` batch at every step, or one `frozen` batch for all steps (released code).",
    )


class PhaseSettings(Section):
    """One training phase (A.2.1, A.2.3)."""

    learning_rate: float = Field(..., gt=0, le=1, description="Initial learning rate. Table 2: 1e-3 – 1e-1.")
    n_steps: int = Field(1000, ge=1, le=1_000_000, description="Steps of the optimiser.")
    batch_size: int = Field(200, ge=1, le=100_000, description="Trials per step. Table 2: 20–400.")
    n_stages: int | None = Field(
        None, ge=1, le=100, description="Number of stages in this phase; null for that of `optimiser.n_stages`."
    )
    weight_penalty: float = Field(
        1e-5, ge=0, description="Factor on the summed squared weights in the loss. Table 2: 5e-6 – 5e-5."
    )
    activity_penalty: float = Field(
        1e-7, ge=0, description="Factor on the mean squared rate in the loss. Table 2: 1e-7."
    )
    readout_rate: float = Field(
        1.0, gt=0, le=10, description="Factor on the learning rate of W_out. With 1, W_out learns like all weights."
    )

    @property
    def rate_factors(self) -> dict[str, float]:
        """Return factors on the learning rates of some weights, by name."""
        return {"w_out": self.readout_rate}


class RecurrentPhaseSettings(PhaseSettings):
    """One training phase that changes W_rec."""

    recurrent_rate: float = Field(
        1.0, gt=0, le=10, description="Factor on the learning rate of W_rec. With 1, W_rec learns like all weights."
    )

    @property
    def rate_factors(self) -> dict[str, float]:
        """Return factors on the learning rates of some weights, by name."""
        return {"w_rec": self.recurrent_rate, "w_out": self.readout_rate}


class PretrainingSettings(RecurrentPhaseSettings):
    """Pre-training of the modules, one after the other (A.2.1)."""

    learning_rate: float = Field(3e-3, gt=0, le=1, description="Initial learning rate. Text: 3e-3.")
    n_steps: int = Field(500, ge=1, le=1_000_000, description="Steps of the optimiser for each module.")
    recurrent_rate: float = Field(
        0.03,
        gt=0,
        le=10,
        description="Factor on the learning rate of W_rec, chosen by the search (docs/decisions.md). Text: none, that "
        "is, 1.",
    )
    input_weights: Literal["column", "released"] = Field(
        "column",
        description="Input weights trained with a module: the input `column`. In the `released` code, the outgoing "
        "weights of unit m − 2 are trained instead from the second module on (off by one).",
    )


class HeadSettings(PhaseSettings):
    """Training of a task's input and readout weights on the frozen network (A.2.3)."""

    learning_rate: float = Field(1e-2, gt=0, le=1, description="Initial learning rate. Text: 1e-2.")


class SeparatePhaseSettings(RecurrentPhaseSettings):
    """Training of all weights of a separate network (A.2.3)."""

    learning_rate: float = Field(
        1e-2, gt=0, le=1, description="Initial learning rate, chosen by the search (docs/decisions.md). Text: 3e-3."
    )
    recurrent_rate: float = Field(
        0.1,
        gt=0,
        le=10,
        description="Factor on the learning rate of W_rec, chosen by the search (docs/decisions.md). Text: none, that "
        "is, 1.",
    )
