"""Settings of the search for what the text leaves open about training."""

import itertools
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from molap.config.base import Number, Section, Whole
from molap.config.network import ReadoutInit, RecurrentInit

Rate = Annotated[Number, Field(gt=0, le=1)]
Factor = Annotated[Number, Field(gt=0, le=10)]
Clip = Annotated[Number, Field(gt=0)]
Steps = Annotated[Whole, Field(ge=1, le=1_000_000)]
BatchSize = Annotated[Whole, Field(ge=1, le=100_000)]
Decay = Literal["cosine", "stages", "constant"]
Batches = Literal["fresh", "frozen"]
Kind = Literal["separate", "molap-cca", "molap-pca", "molap-none", "dni-rule", "dni-norule"]


class Candidate(Section):
    """One way to train, the same for every task and, except as stated below, for every phase."""

    readout_init: ReadoutInit = Field("zero", description="Replaces `network.readout_init`.")
    learning_rate: Rate | None = Field(
        None,
        description="Replaces `learning_rate` of `heads`, `separate` and `dni`; with null, each keeps its own. "
        "Pre-training always keeps its own.",
    )
    recurrent_rate: Factor = Field(
        1.0,
        description="Replaces `recurrent_rate` of `pretraining`, `separate` and `dni`. Random reservoirs do not use "
        "it; if candidates differ in nothing else, they try them once.",
    )
    clip_norm: Clip | None = Field(0.1, description="Replaces `optimiser.clip_norm`; null for no clipping.")
    n_steps: Steps = Field(
        1000, description="Replaces `n_steps` of `heads`, `separate` and `dni`. Pre-training keeps its own."
    )
    readout_rate: Factor = Field(1.0, description="Replaces `readout_rate` of every phase.")
    batch_size: BatchSize = Field(200, description="Replaces `batch_size` of every phase.")
    decay: Decay = Field("cosine", description="Replaces `optimiser.decay`.")
    batches: Batches = Field("fresh", description="Replaces `optimiser.batches`.")
    recurrent_init: RecurrentInit = Field("normal", description="Replaces `network.recurrent_init`.")

    @property
    def name(self) -> str:
        """Return its name: the main searched values, then the other fields that differ from their defaults."""
        rate = "own" if self.learning_rate is None else _number(self.learning_rate)
        clip = "none" if self.clip_norm is None else _number(self.clip_norm)
        parts = [
            self.readout_init,
            f"rate {rate}",
            f"W_rec × {_number(self.recurrent_rate)}",
            f"clip {clip}",
            str(self.n_steps),
        ]
        for field, text in (
            ("readout_rate", f"W_out × {_number(self.readout_rate)}"),
            ("batch_size", f"batch {self.batch_size}"),
            ("decay", self.decay),
            ("batches", f"{self.batches} batch"),
            ("recurrent_init", self.recurrent_init),
        ):
            parts += [text] if getattr(self, field) != Candidate.model_fields[field].default else []
        return ", ".join(parts)


def _number(value: float) -> str:
    """Write a number so that no two values that anybody would try look alike."""
    return f"{value:.12g}"


def _values_of(name: str) -> Any:
    """Return a grid's field, described as the candidate's; if left out, its one value is the candidate's default."""
    field = Candidate.model_fields[name]
    return Field((field.default,), description=field.description)


class Grid(Section):
    """Values of what is searched; every combination of them is a candidate."""

    readout_init: tuple[ReadoutInit, ...] = _values_of("readout_init")
    learning_rate: tuple[Rate | None, ...] = _values_of("learning_rate")
    recurrent_rate: tuple[Factor, ...] = _values_of("recurrent_rate")
    clip_norm: tuple[Clip | None, ...] = _values_of("clip_norm")
    n_steps: tuple[Steps, ...] = _values_of("n_steps")
    readout_rate: tuple[Factor, ...] = _values_of("readout_rate")
    batch_size: tuple[BatchSize, ...] = _values_of("batch_size")
    decay: tuple[Decay, ...] = _values_of("decay")
    batches: tuple[Batches, ...] = _values_of("batches")
    recurrent_init: tuple[RecurrentInit, ...] = _values_of("recurrent_init")

    @model_validator(mode="after")
    def _each_once(self):
        for name, values in self:
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name}: {list(values)} is not allowed; give at least one value, each once")
        return self

    def candidates(self) -> list[Candidate]:
        """Return every combination, the last field changing fastest."""
        names, values = zip(*self, strict=True)
        return [Candidate(**dict(zip(names, chosen, strict=True))) for chosen in itertools.product(*values)]


COARSE: dict[str, Any] = {
    "readout_init": ("n_outputs", "n_units", "n_units_squared", "zero"),
    "learning_rate": (3e-3, 1e-2),
    "recurrent_rate": (1.0, 0.3, 0.1, 0.03),
    "n_steps": (500,),
}


class TuneSettings(Section):
    """The search for what the text leaves open about training (`snakemake tune`)."""

    grids: tuple[Grid, ...] = Field(
        (Grid(**COARSE),),
        description="What the search tries: every combination of a grid's values is a candidate (see below). Each grid "
        "is computed separately, so a further grid re-runs none of the others. A candidate of two grids counts once.",
    )
    tasks: tuple[str, ...] = Field(
        ("mem_anti", "mem_dm1", "mem_dm2", "context_mem_dm1", "context_mem_dm2", "multi_mem"),
        description="Tasks on which candidates are scored; DNI learns them in this order.",
    )
    kinds: tuple[Kind, ...] = Field(
        ("separate", "molap-cca", "molap-pca", "molap-none", "dni-rule"),
        description="Kinds of networks that the search covers, including kinds that the run itself does not train.",
    )
    networks: int = Field(3, ge=1, le=10_000, description="Number of networks of each kind that try a candidate.")
    first_seed: int = Field(
        10_000,
        ge=0,
        le=2**31,
        description="First network seed of the search, separate from the seeds that are reported.",
    )

    @field_validator("grids", "tasks", "kinds")
    @classmethod
    def _something_is_tried(cls, values: tuple) -> tuple:
        if not values:
            raise ValueError("[] is not allowed; give at least one")
        return values

    @field_validator("grids")
    @classmethod
    def _each_grid_once(cls, grids: tuple[Grid, ...]) -> tuple[Grid, ...]:
        for i, grid in enumerate(grids):
            if grid in grids[:i]:
                raise ValueError(f"grid {i + 1} is grid {grids.index(grid) + 1} again; each may appear once")
        return grids
