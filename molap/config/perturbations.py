"""Settings of the perturbations of trained networks (A.4)."""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from molap.config.base import Number, Section


def _each_once(strengths: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(strengths)) < len(strengths):
        raise ValueError(f"{list(strengths)} is not allowed; each strength may appear once")
    return tuple(sorted(strengths))


class Strength(NamedTuple):
    """The meaning of a perturbation's strengths, stored in the type of its setting."""

    unit: str = ""
    """The unit, as figures write it after the number."""
    lesion: bool = False
    """Mark a perturbation that sets this share of some weights to zero; figures compare such lesions."""


_Percents = tuple[Annotated[Number, Field(gt=0, le=100)], ...]
Percents = Annotated[_Percents, AfterValidator(_each_once), Strength("%")]
PercentsLesioned = Annotated[_Percents, AfterValidator(_each_once), Strength("%", lesion=True)]
Deviations = Annotated[tuple[Annotated[Number, Field(gt=0, le=10)], ...], AfterValidator(_each_once), Strength()]


class PerturbationReadings(Section):
    """The places that a perturbation hits, where text and released code differ."""

    inter_module_as: Literal["block", "whole"] = Field(
        "block",
        description="Lesions among inter-module weights hit the entries outside the modules' blocks (`block`, text), "
        "or, because of an aliased array, the `whole` matrix (released code).",
    )
    biases: Literal["kept", "hit"] = Field(
        "kept",
        description="Recurrent biases, in networks that have them, are `kept` (the text speaks of the connectivity "
        "matrix), or are `hit` by lesions and noise over the whole network (released code).",
    )
    silencing: Literal["activity", "recurrence"] = Field(
        "activity",
        description="Silenced units are clamped at zero for recurrence and readout (`activity`, text), or only for the "
        "`recurrence` (released code).",
    )


class StrengthSettings(Section):
    """Strengths of each perturbation; an empty list leaves it out."""

    module: PercentsLesioned = Field(
        (2.0, 5.0, 10.0, 20.0, 30.0),
        description="Percent of a module's recurrent weights set to zero, for each module.",
    )
    inter_module: PercentsLesioned = Field(
        (1.0, 2.5, 5.0, 10.0, 15.0, 30.0), description="Percent of the weights between modules set to zero."
    )
    whole: PercentsLesioned = Field(
        (1.0, 2.5, 5.0, 10.0, 20.0, 30.0), description="Percent of all recurrent weights set to zero."
    )
    noise: Deviations = Field(
        (0.005, 0.01, 0.015, 0.02, 0.03),
        description="Standard deviation σ of Gaussian noise added to every recurrent weight.",
    )
    silence: Percents = Field((2.0, 5.0, 10.0, 20.0, 30.0), description="Percent of units silenced.")


def strength_of(perturbation: str) -> Strength:
    """Return the meaning of a perturbation's strengths, as its setting declares it (for `module2`: `module`)."""
    field = StrengthSettings.model_fields.get(re.sub(r"^module\d+$", "module", perturbation))
    return next((item for item in field.metadata if isinstance(item, Strength)), Strength()) if field else Strength()


class PerturbationSettings(StrengthSettings, PerturbationReadings):
    """Perturbations of the trained networks (A.4, Figs 3, 4, S1–S5)."""

    draws: int = Field(30, ge=1, le=10_000, description="Number of random draws for each perturbation and strength.")
    n_trials: int = Field(
        250,
        ge=1,
        le=1_000_000,
        description="Number of trials, taken from the start of the test set; at most evaluation.n_trials. Text: 250, "
        "and 2000 for Figs 3, 4 and S5.",
    )
    kinds: tuple[str, ...] | None = Field(
        None,
        description="Kinds of networks to perturb (`separate`, `molap-cca`, `dni-rule`, …); null for all trained kinds "
        "except `sequential` and `joint` ones.",
    )
    tasks: tuple[str, ...] | None = Field(
        None, description="Tasks whose networks are perturbed; null for all of tasks.names."
    )
    example_task: str | None = Field(
        None, description="Task of Fig 3; null for the last of the perturbed tasks (the paper's T9)."
    )
    example_strength: float = Field(
        30.0, gt=0, le=100, description="Percent of weights lesioned in the examples of Fig 3, b to e."
    )
