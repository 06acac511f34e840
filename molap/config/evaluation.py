"""Settings of the evaluation (A.3)."""

from typing import Literal

from pydantic import Field

from molap.config.base import Section


class CriterionSettings(Section):
    """The criterion by which a decision counts as correct."""

    criterion: Literal["absolute", "relative"] = Field(
        "absolute",
        description="Deviation of the mean output from the mean target: `absolute` (text), or `relative` "
        "to the target's size (released code).",
    )
    tolerance: float = Field(
        0.1, gt=0, le=1, description="Largest deviation of a decision output that counts as correct."
    )
    fixation_tolerance: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Largest deviation of the fixation output that counts as correct. Released code: 0.15.",
    )
    window: int = Field(
        30,
        ge=1,
        description="Number of steps at the end of the trial over which outputs are averaged, unless a task says "
        "which. The text's 30 include five steps before the Go signal; the response period has 25.",
    )


class TaskCriterion(CriterionSettings):
    """The criterion for tasks; the user's tasks have their own rules."""

    modules: tuple[str, ...] = ()
    """The user's modules that define one of the tasks."""


class EvaluationSettings(CriterionSettings):
    """The test set and the criterion."""

    n_trials: int = Field(2000, ge=1, le=1_000_000, description="Test trials per task.")
    n_validation: int = Field(
        500, ge=1, le=1_000_000, description="Validation trials per task, used to follow learning."
    )
    stream: Literal["test", "validation"] = Field(
        "test", description="Random stream of the trials; the search for the optimiser uses `validation`."
    )
