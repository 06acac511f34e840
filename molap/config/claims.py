"""Settings of the verdicts on the paper's claims."""

from pydantic import Field

from molap.config.base import Section, UserPath


class ClaimSettings(Section):
    """The paper's claims, judged on the run's tables."""

    file: UserPath | None = Field(
        None, description="YAML file of claims and their tests; null for the paper's, config/claims.yaml."
    )

    modules: bool = Field(
        False,
        description="Also judge the claims on the number of modules, which takes the runs of `snakemake modules`.",
    )
