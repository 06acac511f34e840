"""Settings of generalisation (Fig 5)."""

from typing import Literal

from pydantic import Field

from molap.config.base import Section


class GeneralisationSettings(Section):
    """Pre-training on a corpus from which tasks are left out (section 4.2, Fig 5)."""

    left_out: tuple[tuple[str, ...], ...] | None = Field(
        None,
        description="Sets of tasks to leave out of the corpus, each with its own complete chain; null for every "
        "task singly and every task with the next one (the last with the first); an empty list for none.",
    )
    single: Literal["absent", "kept"] = Field(
        "absent",
        description="A task that is left out singly is `absent` from the corpus (text), or `kept` in it: in the "
        "released code, leave-one-out leaves nothing out, because the task's name becomes a set of letters.",
    )
    sources: tuple[Literal["cca", "pca"], ...] | None = Field(
        None,
        description="Sources to fit without the left-out tasks; null for all sources in primitives.sources that are "
        "fitted.",
    )
    without: tuple[str, ...] = Field(
        (),
        description="Tasks left out of this run's own corpus. The chains of left_out set this key.",
    )
