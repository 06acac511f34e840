"""Settings of the number of modules (A.2.1)."""

from typing import Annotated

from pydantic import Field

from molap.config.base import Section, Whole
from molap.config.network import LARGEST_N_UNITS


class ModuleNumberSettings(Section):
    """Set how many modules and components there are (`snakemake modules`)."""

    numbers: tuple[Annotated[Whole, Field(ge=1, le=20)], ...] = Field(
        (1, 2, 3, 4),
        min_length=1,
        description="Numbers r of modules and components. Each is trained at two sizes: with N units (the nearest "
        "multiple of r), and with modules of the same size as those of `network`. "
        f"Networks of more than {LARGEST_N_UNITS} units are left out.",
    )
