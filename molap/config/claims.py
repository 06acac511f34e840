"""Settings of the verdicts on the paper's claims."""

import os

from pydantic import Field, field_validator

from molap.config.base import Section


class ClaimSettings(Section):
    """The paper's claims, judged on the run's tables."""

    file: str | None = Field(
        None, description="YAML file of claims and their tests; null for the paper's, config/claims.yaml."
    )

    @field_validator("file")
    @classmethod
    def _home_is_expanded(cls, file: str | None) -> str | None:
        return file and os.path.expanduser(file)

    modules: bool = Field(
        False, description="Judge the claims on the number of modules too, which takes the runs of `snakemake modules`."
    )
