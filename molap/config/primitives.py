"""Settings of the corpus and the latent primitives (3.3)."""

from typing import Literal

from pydantic import Field

from molap.config.base import Section


class CorpusSettings(Section):
    """The corpus on which the latent primitives are fitted (section 3.3)."""

    n_trials: int = Field(1000, ge=10, le=100_000, description="Number of trials in the corpus, shared by all tasks.")
    alignment: Literal["aligned", "independent"] = Field(
        "aligned",
        description="`aligned`: trial i has the same angles in every task (released code; only this gives the "
        "explained variance that the paper prints). `independent`: each task draws its own. Tasks that draw other "
        "conditions share those of the same name.",
    )
    lengths: Literal["pad", "truncate"] = Field(
        "pad",
        description="For tasks that differ in length: shorter trials continue without a stimulus or a wanted response "
        "(`pad`), or all trials end with the shortest (`truncate`), which cuts off the responses of longer tasks.",
    )


class PrimitiveSettings(Section):
    """Set where the targets of pre-training come from."""

    sources: tuple[Literal["cca", "pca", "none"], ...] = Field(
        ("cca", "pca", "none"),
        min_length=1,
        description="Sources of pre-training to compare; `none` is the random reservoir.",
    )
    pca: Literal["separate", "joint"] = Field(
        "separate",
        description="PCA of inputs and of targets separately (`separate`, text), or one PCA over all columns, whose "
        "components then serve as both input and target (`joint`, released code).",
    )
