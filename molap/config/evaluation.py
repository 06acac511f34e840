"""Settings of the evaluation (A.3)."""

from typing import Annotated, Literal

from pydantic import Field

from molap.config.base import Section


class CriterionSettings(Section):
    """When a decision counts as correct."""

    criterion: Literal["absolute", "relative"] = Field(
        "absolute",
        description="Deviation of the mean output from the mean target: `absolute` (text), or `relative` "
        "to the target's size (released code).",
    )
    tolerance: float = Field(0.1, gt=0, le=1, description="Largest deviation of a decision output.")
    fixation_tolerance: float = Field(
        0.1, gt=0, le=1, description="Largest deviation of the fixation output. Released code: 0.15."
    )
    window: int = Field(
        30,
        ge=1,
        le=110,
        description="Last steps of the trial over which outputs are averaged. The text's 30 hold five steps "
        "before the Go signal; 25 are the response period.",
    )


class EvaluationSettings(CriterionSettings):
    """The test set and the criterion."""

    n_trials: int = Field(2000, ge=1, le=1_000_000, description="Test trials per task.")
    n_validation: int = Field(
        500, ge=1, le=1_000_000, description="Validation trials per task, on which learning is followed."
    )
    stream: Literal["test", "validation"] = Field(
        "test", description="Random stream of the trials; the search for the optimiser uses `validation`."
    )


class FigureSettings(Section):
    """What the figures show."""

    example_task: str = Field("context_mem_dm1", description="Task of Fig 2 D and E (the paper's T7).")
    example_trials: int = Field(20, ge=1, le=1000, description="Test trials whose error is shown.")
    plateau_tasks: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Tasks for which `snakemake diagnose` shows why training got stuck; null for mem_dm1 and multi_mem "
        "(T5 and T9), as far as they are trained.",
    )
    scaling_units: tuple[Annotated[int, Field(ge=2, le=100_000, strict=True)], ...] = Field(
        (50, 100, 200, 400),
        min_length=1,
        description="Numbers of units for which weights and updates are counted.",
    )


class SeedSettings(Section):
    """Random seeds; everything random follows from them."""

    networks: int = Field(1, ge=1, le=10_000, description="Number of network seeds (independent networks).")
    first: int = Field(0, ge=0, le=2**31, description="First network seed; the others follow.")
    per_job: int = Field(
        1,
        ge=1,
        le=1000,
        description="Network seeds trained together in one job. On a CPU results do not depend on it, to the bit.",
    )
    data: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the corpus, the batches and the test sets.")
