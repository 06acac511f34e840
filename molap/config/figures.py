"""Settings of the figures."""

from typing import Annotated

from pydantic import Field

from molap.config.base import Section, Whole


class FigureSettings(Section):
    """Set what the figures show."""

    example_task: str = Field("context_mem_dm1", description="Task of Fig 2 D and E (the paper's T7).")
    example_trials: int = Field(20, ge=1, le=1000, description="Number of test trials whose error is shown.")
    plateau_tasks: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Tasks for which `snakemake diagnose` shows why training got stuck; null for mem_dm1 and multi_mem "
        "(T5 and T9), if they are trained.",
    )
    scaling_units: tuple[Annotated[Whole, Field(ge=2, le=100_000)], ...] = Field(
        (50, 100, 200, 400),
        min_length=1,
        description="Numbers of units for which weights and updates are counted.",
    )
