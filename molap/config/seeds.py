"""Settings of the random seeds."""

from pydantic import Field

from molap.config.base import Section


class SeedSettings(Section):
    """Random seeds, which determine everything that is random."""

    networks: int = Field(1, ge=1, le=10_000, description="Number of network seeds (independent networks).")
    first: int = Field(0, ge=0, le=2**31, description="First network seed; the others follow.")
    per_job: int = Field(
        1,
        ge=1,
        le=1000,
        description="Number of network seeds trained together in one job. On a CPU, results are the same to the bit "
        "for every value.",
    )
    data: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the corpus, the batches and the test sets.")
