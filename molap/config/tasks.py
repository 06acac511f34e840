"""Settings of the tasks and their trials."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from molap.config.base import Section, UserPath

TASK_NAMES = (
    "delay_pro",
    "delay_anti",
    "mem_pro",
    "mem_anti",
    "mem_dm1",
    "mem_dm2",
    "context_mem_dm1",
    "context_mem_dm2",
    "multi_mem",
)


TASK_LABELS = {name: f"T{i}" for i, name in enumerate(TASK_NAMES, start=1)}

Labels = Annotated[
    dict[str, str], BeforeValidator(dict), PlainSerializer(lambda labels: [list(pair) for pair in labels.items()])
]
"""Task → T1 …, in the run's order; given as pairs, since settings are written with the keys of mappings sorted."""

N_STEPS = 110
"""Steps of a trial of the nine tasks (A.1)."""
MOST_CHANNELS = 16
"""Inputs and outputs together, of which the nine tasks have at most six; memory is requested for as many."""
DT_MS = 10.0
"""Duration of their steps in ms."""


class TrialSettings(Section):
    """Set how a trial of any task is drawn; every row is a reading of the paper's A.1."""

    modules: tuple[UserPath, ...] = Field(
        (),
        description="Further tasks that join the nine: Python files or importable modules with a list `TASKS`; `.npz` "
        "files of trials, each a task named after its file; environments of neurogym, such as `neurogym:yang19.go-v0`.",
    )

    angles: Literal["full_circle", "half_circle"] = Field(
        "full_circle",
        description="Angles in steps of 10°: `full_circle` has the 36 values 0°–350° (released code), "
        "`half_circle` the 19 values 0°–180° (the paper's text).",
    )
    anti: Literal["opposite", "released"] = Field(
        "opposite",
        description="Target of the anti tasks: the `opposite` direction (text), or the stimulus "
        "direction itself, as the `released` code computes it.",
    )
    memory_delay: Literal["fixed", "variable"] = Field(
        "fixed",
        description="When the stimulus of T3 and T4 ends: at the Go signal (`fixed`, released code), or at "
        "a step drawn per trial from 45–85 (`variable`, the text's “short, variable duration”).",
    )
    input_noise: float = Field(
        0.002,
        ge=0,
        le=1,
        description="Standard deviation of the white noise on every input channel and step, in "
        "stimulus units (before rescaling). Text: 0.002; released code: 0.02.",
    )
    noise_onset: int = Field(
        0,
        ge=0,
        description="First step with input noise; at most the number of steps of the longest task. Released code: 10, "
        "after the silent period.",
    )
    rescaling: Literal["fixed", "batch", "none"] = Field(
        "fixed",
        description="Rescaling to [0, 1]: by each task's known bounds (`fixed`), by the minimum and maximum "
        "over the whole batch (`batch`, released code), or `none`.",
    )
    resample: bool = Field(
        False,
        description="Resample the trials of a batch with replacement (released code); about 63–65 % of them remain "
        "distinct.",
    )


class TaskSettings(TrialSettings):
    """Choose the tasks and how their trials are drawn."""

    names: tuple[str, ...] = Field(TASK_NAMES, min_length=1, description="Tasks of the corpus, in order (T1 … T9).")
